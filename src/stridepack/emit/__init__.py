"""Files out: what was packed, in the form that a firmware project takes."""
