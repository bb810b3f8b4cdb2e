"""The practice model: a small real model on this computer, asked like any other service. Begin with `endpoint`."""
