# What Parvis uses of botocore, which brings no types.
