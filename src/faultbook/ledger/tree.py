"""Trees with some files changed and every other entry as it was: `ls-tree` and `mktree`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from faultbook.base.errors import InvalidError
from faultbook.ledger.git import Git, GitError

_FILE, _FOLDER = "100644", "040000"
_REGULAR = frozenset({_FILE, "100755"})
_KEPT_TREES = 32


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    kind: str
    id: str


_Tree = dict[bytes, _Entry]


class TreeWriter:
    """Writes trees into a repository; remembers those it wrote, which the next commit is upon."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._known: dict[str, _Tree] = {}

    def write(self, base: str | None, files: Mapping[str, bytes]) -> str:
        """Write the tree of a commit (or an empty one) with these files in it; gives its id.

        Raises:
            InvalidError: a path leads through what is no folder, or to what is no file.
        """
        blobs = {}
        for path, data in files.items():
            parts = tuple(path.encode("utf-8", "surrogateescape").split(b"/"))
            if any(part in {b"", b".", b".."} for part in parts) or b"\0" in path.encode():
                raise _in_the_way(path)
            # No --path, so that no filter or line-ending rule touches a byte.
            told = self._git.run("hash-object", "-w", "-t", "blob", "--stdin", stdin=data)
            blobs[parts] = told.decode().strip()
        made: list[tuple[str, _Tree]] = []
        tree = self._graft(base, blobs, "", made)
        self._make(made)
        return tree

    def name(self, commit: str, tree: str) -> None:
        """Remember that a commit has this tree."""
        self._remember(commit, self._known[tree])

    def _graft(
        self,
        base: str | None,
        blobs: Mapping[tuple[bytes, ...], str],
        at: str,
        made: list[tuple[str, _Tree]],
    ) -> str:
        """Lay blobs into a tree and those below it; gives its id, and in `made` what to write."""
        entries = dict(self._list(base)) if base else {}
        below: dict[bytes, dict[tuple[bytes, ...], str]] = {}
        for parts, blob in blobs.items():
            if len(parts) > 1:
                below.setdefault(parts[0], {})[parts[1:]] = blob
                continue
            before = entries.get(parts[0])
            if before is not None and before.mode not in _REGULAR:
                raise _in_the_way(f"{at}{parts[0].decode('utf-8', 'replace')}")
            entries[parts[0]] = _Entry(before.mode if before else _FILE, "blob", blob)
        for name, inside in below.items():
            before, path = entries.get(name), f"{at}{name.decode('utf-8', 'replace')}"
            if before is not None and before.kind != "tree":
                raise _in_the_way(path)
            below_it = self._graft(before.id if before else None, inside, f"{path}/", made)
            entries[name] = _Entry(_FOLDER, "tree", below_it)
        tree = _id_of(entries)
        made.append((tree, entries))
        return tree

    def _make(self, made: list[tuple[str, _Tree]]) -> None:
        """Write trees, the lower ones first, by one process; an empty record ends each."""
        lines: list[bytes] = []
        for _, entries in made:
            lines += [
                f"{entry.mode} {entry.kind} {entry.id}\t".encode() + name + b"\0"
                for name, entry in entries.items()
            ]
            lines.append(b"\0")
        told = self._git.run("mktree", "-z", "--batch", stdin=b"".join(lines)).decode().split()
        if told != [tree for tree, _ in made]:
            raise GitError(("mktree",), 0, b"", "the trees came out other than computed")
        for tree, entries in made:
            self._remember(tree, entries)

    def _list(self, tree: str) -> _Tree:
        found = self._known.get(tree)
        if found is None:
            found = {}
            for line in self._git.run("ls-tree", "-z", "--full-tree", tree).split(b"\0")[:-1]:
                facts, _, name = line.partition(b"\t")
                mode, kind, identifier = facts.decode().split()
                found[name] = _Entry(mode, kind, identifier)
            self._remember(tree, found)
        return found

    def _remember(self, tree: str, entries: _Tree) -> None:
        if len(self._known) >= _KEPT_TREES:
            self._known.clear()
        self._known[tree] = entries


def _id_of(entries: _Tree) -> str:
    """Compute a tree's id as git does; a folder is sorted as if its name ended in `/`."""
    body = b"".join(
        entry.mode.lstrip("0").encode() + b" " + name + b"\0" + bytes.fromhex(entry.id)
        for name, entry in sorted(
            entries.items(), key=lambda one: one[0] + (b"/" if one[1].kind == "tree" else b"")
        )
    )
    header = f"tree {len(body)}\0".encode()
    return hashlib.sha1(header + body, usedforsecurity=False).hexdigest()


def _in_the_way(path: str) -> InvalidError:
    return InvalidError(
        f"{path} is no plain file or folder in the repository.",
        code="path_in_the_way",
        next_step="Move what is there away, and ask again.",
        where=path,
    )
