"""Ascend NPUs: pyACL, the driver's tools, and an executor that uses both."""
