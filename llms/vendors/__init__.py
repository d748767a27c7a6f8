"""The vendors of big-AGI, and how each is called (`bigagi-format.md` § 5)."""

from llms.vendors.table import VENDORS, Vendor, vendor_of

__all__ = ["VENDORS", "Vendor", "vendor_of"]
