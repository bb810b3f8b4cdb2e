"""All of Tempera, a package for each concern. CONTRIBUTING.md says where a change begins and who imports whom."""
