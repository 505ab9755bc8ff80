"""Listings, pairs, and which locations supply which store, in the admin."""

from alignment.admin.listings import ListingAdmin
from alignment.admin.pairs import AlignmentAdmin
from alignment.admin.supply import StoreLocationAdmin

__all__ = ["AlignmentAdmin", "ListingAdmin", "StoreLocationAdmin"]
