"""The name of a network of transformers: `hf:<folder>`, or `hf:<id>@<commit>`."""

import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import SettingsError
from ...settings import user_path

PREFIX = 'hf:'
_ID = re.compile(r'[\w][\w.-]*/[\w][\w.-]*')
_COMMIT = re.compile(r'[0-9a-f]{40}')


@dataclass(frozen=True)
class HubName:
    """Where a model is.

    Attributes:
        folder: That holds it; None for one of the hub.
        repository: Its id on the hub, '' for a folder.
        commit: Of the repository, 40 digits; '' where it is not stated, and for a folder.
    """

    folder: Path | None = None
    repository: str = ''
    commit: str = ''

    def __str__(self) -> str:
        if self.folder is not None:
            return f'{PREFIX}{self.folder}'
        return f'{PREFIX}{self.repository}{self.commit and "@"}{self.commit}'


def read_hub_name(text: str, base: Path | None = None) -> HubName:
    """Return what `hf:...` names; a folder that exists goes before an id of that name.

    Args:
        text: Such as `hf:Intel/dpt-large@<commit>` or `hf:~/my_model`.
        base: What a relative folder is relative to, by default the working directory.

    Raises:
        SettingsError: It is no folder and no id, or the revision is not a full commit.
    """
    rest = text.removeprefix(PREFIX)
    remedy = 'give hf:<folder> or hf:<owner>/<name>@<commit>; see docs/networks.md'
    if not rest:
        raise SettingsError(f'network is {text!r}, which names no model', remedy)
    path = user_path('network', rest)
    folder = path if base is None else base / path
    if folder.is_dir():
        return HubName(folder.resolve())
    repository, at, commit = rest.partition('@')
    if _ID.fullmatch(repository) is None:
        raise SettingsError(f'network is {text!r}, and {folder} is not a folder', remedy)
    if at and _COMMIT.fullmatch(commit) is None:
        raise SettingsError(
            f'network is {text!r}, and {commit!r} is not a full commit: what a branch, a tag or '
            'an abbreviation means may change',
            f'give the 40 digits; `mono_depth networks get {PREFIX}{repository}` prints those of '
            'today',
        )
    return HubName(None, repository, commit)


def absolute_network(network: str) -> str:
    """Return the parameter `network` so that it holds from any working directory."""
    if network.startswith(PREFIX):
        return str(read_hub_name(network))
    return str(Path(network).expanduser().resolve())
