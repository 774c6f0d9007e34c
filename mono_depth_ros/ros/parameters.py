"""Settings records of the library as ROS parameters: declared and described."""

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from ..core.settings import Parameter, Record, parameter_table, updated


def declare(node: Node, defaults: Record, *, read_only: bool = False) -> Record:
    """Declare every parameter of a record and return the record with the user's values.

    Raises:
        SettingsError: A value is invalid, or conflicts with another.
        ParameterException: A value has the wrong type or is out of range.
    """
    table = parameter_table(defaults)
    rows = [(row.name, row.default, _descriptor(row, read_only)) for row in table]
    declared = node.declare_parameters('', rows)
    return updated(defaults, {parameter.name: parameter.value for parameter in declared})


def _descriptor(row: Parameter, read_only: bool) -> ParameterDescriptor:
    info = row.info
    constraints = []
    if info.choices:
        count = 'one or more' if info.several else 'one'
        constraints.append(f'{count} of {", ".join(info.choices)}')
    if info.reload:
        constraints.append('changes only while the node is not active')
    descriptor = ParameterDescriptor(
        description=info.description + (f' [{info.unit}]' if info.unit else ''),
        additional_constraints='; '.join(constraints),
        read_only=read_only,
    )
    if info.limits:
        low, high = info.limits
        if isinstance(row.default, float):
            bounds = FloatingPointRange(from_value=low, to_value=high)
            descriptor.floating_point_range = [bounds]
        else:
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return descriptor
