"""What ``parvis doctor`` looks at, one idea per file; `registry` names them all."""
