"""Ascend NPUs: pyACL, the driver's tools, and an executor over both."""
