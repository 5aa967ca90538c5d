"""What stands here is not ours: it is installed, tested and checked as an outsider's code
(``tests/plugins/test_third_party.py``)."""

collect_ignore_glob = ["parvis_whiteboard/*"]
