import os
import subprocess
import sys

SCRIPT = """
import gc, sys, controlplane.wsgi
print("pipeline.views.manager.health" in sys.modules, gc.get_freeze_count(), sys.getswitchinterval())
"""


def test_the_web_loads_its_pages_first_never_scans_them_for_garbage_and_lets_no_thread_compute_for_long():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "controlplane.settings", "DEBUG": "1"}
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    loaded, kept, seconds = answer.stdout.split()
    assert (loaded, int(kept) > 50_000, float(seconds) <= 0.001) == ("True", True, True)
