"""Text and blocks: values of the model shown on Slack, on a terminal and as JSON."""
