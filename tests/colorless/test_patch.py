import socket

from tests.tools.fresh import output_of, run_fresh

PATCH = "from colorless.patch import patch_everything\npatch_everything()\n"


def test_importing_never_patches() -> None:
    """Importing the package changes nothing in the process."""
    assert output_of("import colorless, time; print(time.sleep.__module__)") == "time"


def test_patch_covers_the_standard_library_and_psycopg2() -> None:
    """One call makes sleeping, sockets and psycopg2 cooperative."""
    code = PATCH + "import time, socket, psycopg2.extensions as e\n"
    code += "print(time.sleep.__module__, socket.socket.__module__, e.get_wait_callback() is None)"
    sleep, socket_module, no_callback = output_of(code).split()
    assert sleep.startswith("gevent")
    assert socket_module.startswith("gevent")
    assert no_callback == "False"


def test_patching_twice_is_one_patch() -> None:
    """The second call does nothing and does not warn."""
    code = "import warnings; warnings.simplefilter('error')\n" + PATCH + "patch_everything()"
    assert run_fresh(code).returncode == 0


def test_early_ssl_user_is_named() -> None:
    """A module that copied SSLContext before the patch is named, with the line to move."""
    done = run_fresh("import urllib3\n" + PATCH)
    assert done.returncode != 0
    assert "urllib3.util.ssl_" in done.stderr
    assert "patch_everything()" in done.stderr.splitlines()[-1]


def test_early_copy_of_a_function_is_named() -> None:
    """A module that copied a blocking function before the patch is named with the function."""
    done = run_fresh(
        "import sys, types\n"
        "module = types.ModuleType('early_bird')\n"
        "exec('from time import sleep', module.__dict__)\n"
        "sys.modules['early_bird'] = module\n" + PATCH
    )
    assert "early_bird.sleep (which is time.sleep)" in done.stderr


def test_tolerated_copy_is_left_alone() -> None:
    """A package that is named as tolerated may keep its blocking copies."""
    assert (
        run_fresh(
            "import sys, types\n"
            "module = types.ModuleType('early_bird')\n"
            "exec('from time import sleep', module.__dict__)\n"
            "sys.modules['early_bird'] = module\n"
            "from colorless.patch import patch_everything\n"
            "patch_everything(tolerate=['early_bird'])"
        ).returncode
        == 0
    )


def test_early_psycopg3_is_named() -> None:
    """psycopg 3 chooses how to wait when it is imported, so it must not be imported before."""
    done = run_fresh("import sys; sys.modules['psycopg'] = sys\n" + PATCH)
    assert "psycopg chose how to wait" in done.stderr


def test_require_patched_says_which_line_to_add() -> None:
    """What needs a patched process says so, with the line that fixes it."""
    done = run_fresh("from colorless.patch import require_patched; require_patched('The pool')")
    assert "The pool needs a patched process" in done.stderr
    assert "from colorless.patch import patch_everything" in done.stderr


def test_workers_may_be_imported_before_the_patch() -> None:
    """gunicorn imports a worker class first, and only then does the class patch."""
    code = "import colorless.worker, colorless.worker.asgi, colorless.bridge, colorless.postgres\n"
    assert run_fresh(code + PATCH).stderr == ""


def test_a_patched_socket_names_its_type() -> None:
    """Libraries print it, and ask for its name."""
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.create_server(("", 0)) as other:
        assert (one.type.name, other.type.name) == ("SOCK_DGRAM", "SOCK_STREAM")
