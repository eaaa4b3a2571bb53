"""A pytest plugin that patches before any other plugin is imported (``-p tests.patched``).

The whole suite runs in a patched process, as the service does. The runner's own references stay
blocking; nothing that is tested goes through them.
"""

from colorless.patch import patch_everything

patch_everything(tolerate=("_pytest", "pytest"))
