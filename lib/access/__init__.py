"""Who may use a Tempera that many share, and how they are told apart. Begin with `sign_ins`."""
