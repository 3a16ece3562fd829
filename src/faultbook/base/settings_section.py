"""What every section of the settings has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen table of `faultbook.toml`; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
