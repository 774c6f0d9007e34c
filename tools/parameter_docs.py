"""The parameter table as documents: config/mono.yaml and docs/reference/parameters.md.

`python -m tools.parameter_docs` writes both anew in a checkout.
"""

from pathlib import Path

from mono_depth_ros.core.files.yaml_texts import dump_parameters
from mono_depth_ros.core.settings import Parameter, SettingInfo, Settings, parameter_table
from mono_depth_ros.ros.node_settings import NodeSettings

ROOT = Path(__file__).resolve().parents[1]

PAGE = ROOT / 'docs' / 'reference' / 'parameters.md'

_YAML_HEADER = """\
# Every parameter of the node `mono_depth` at its default. A number shown with a point needs one:
# 80.0, since ROS refuses 80. Those marked * change only while the node is not active.
# Written by `python -m tools.parameter_docs`; copy the file before you change it.
/**:
  ros__parameters:
"""


_MARKDOWN_HEADER = """\
# Parameters

<!-- Written by `python -m tools.parameter_docs`. -->

Of the node `mono_depth`; `config/mono.yaml` has all of them at their defaults: copy it, and
start the node with `params_file:=`.
For files and bags the same names go with `mono_depth estimate --set NAME=VALUE`, or
`--params-file`.

Those marked * change only while the node is not active, all others at any time (`ros2 param set`).
A number shown with a point needs one: ROS refuses `80` where `80.0` is meant.

| parameter | default | allowed | |
|---|---|---|---|"""


def parameter_yaml(defaults: Settings) -> str:
    """Return a parameter file with every parameter at its default, one comment each."""
    lines, group = [], ''
    for row in parameter_table(defaults):
        outer, _, name = row.name.rpartition('.')
        if outer and outer != group:
            lines.append(f'    {outer}:')
        group = outer
        indent = '      ' if outer else '    '
        lines += [f'{indent}# {_comment(row)}', f'{indent}{name}: {_scalar(row.default)}']
    return _YAML_HEADER + '\n'.join(lines) + '\n'


def parameter_markdown(defaults: Settings) -> str:
    """Return the page with the table of all parameters."""
    lines = [_MARKDOWN_HEADER]
    for row in parameter_table(defaults):
        star = ' *' if row.info.reload else ''
        name, default = f'`{row.name}`{star}', f'`{_scalar(row.default)}`'
        meaning = row.info.description.replace('<', '&lt;')
        lines.append(f'| {name} | {default} | {_allowed(row.info)} | {meaning} |')
    return '\n'.join(lines) + '\n'


def _comment(row: Parameter) -> str:
    star = '* ' if row.info.reload else ''
    allowed = _allowed(row.info)
    return f'{star}{row.info.description}' + (f' [{allowed}]' if allowed else '')


def _allowed(info: SettingInfo) -> str:
    if info.choices:
        listed = ', '.join(info.choices)
        return f'one or more of {listed}' if info.several else listed
    bounds = ''
    if info.limits:
        bounds = f'{_number(info.limits[0])} to {_number(info.limits[1])}'
    return ' '.join(filter(None, (bounds, info.unit)))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _scalar(value: object) -> str:
    return dump_parameters({'value': value}).partition(' ')[2].rstrip()


def main() -> None:
    """Write both files of the checkout."""
    defaults = NodeSettings()
    (ROOT / 'config' / 'mono.yaml').write_text(parameter_yaml(defaults))
    PAGE.write_text(parameter_markdown(defaults))


if __name__ == '__main__':
    main()
