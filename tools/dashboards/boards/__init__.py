"""All dashboards, in the order in which they are looked at."""

from . import database, devices, fleet, link, node

ALL = (fleet.DASHBOARD, link.DASHBOARD, node.DASHBOARD, devices.DASHBOARD, database.DASHBOARD)
