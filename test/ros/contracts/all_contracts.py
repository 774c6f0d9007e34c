"""All contracts, one for each row of consumers."""

import costmap_contracts
import image_proc_contracts
import mapping_contracts
import rviz_contracts

CONTRACTS = [
    *rviz_contracts.CONTRACTS,
    *image_proc_contracts.CONTRACTS,
    *mapping_contracts.CONTRACTS,
    *costmap_contracts.CONTRACTS,
]
