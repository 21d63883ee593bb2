"""The AT Protocol's index of open datasets."""
