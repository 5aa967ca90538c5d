# What Parvis uses of aiobotocore, which brings no types.
