"""What an administrator does about updates in quarantine: looks, puts back, drops."""
