"""From stamp to receipt: cameras, the node and a reader as processes of their own."""
