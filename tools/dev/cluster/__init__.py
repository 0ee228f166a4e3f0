"""How Skerry is started on one machine: the one description that tools/quickstart and e2e/ share."""
