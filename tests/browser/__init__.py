"""One package, so that one Chromium serves all of these tests and ends with the last of them."""
