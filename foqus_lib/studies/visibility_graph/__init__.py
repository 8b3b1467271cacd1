"""AVGNet against graphs by rules, against other networks, and trained on coresets."""
