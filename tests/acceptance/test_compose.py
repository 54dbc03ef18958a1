"""The composition, run as docker-compose.yml and docs/deployment.md tell: users, mounts, secrets, commands, checks."""

import json
import re
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance import composition, containers, dockerfile

SECONDS = 120.0
SERVICES = ("database", "service", "alertmanager", "prometheus")  # what has a program on this machine
GUIDE = composition.ROOT / "docs" / "deployment.md"
EXPORTS = "/srv/exports"
READER = "reader create 1"


@pytest.fixture(scope="module")
def image(reachable_path: Path) -> Iterator[dockerfile.Image]:
    """The image, built by the Dockerfile."""
    containers.required()
    folder = reachable_path / "image"
    folder.mkdir(mode=0o755)
    yield dockerfile.built(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stack(reachable_path: Path, image: dockerfile.Image) -> Iterator[composition.Stack]:
    """Database, service, Alertmanager and Prometheus, started in the order of docs/deployment.md."""
    composition.programs(["prometheus", "prometheus-alertmanager", "wget", "curl"])
    folder = reachable_path / "stack"
    folder.mkdir(mode=0o755)
    with composition.stack(folder, image) as made:
        made.make_database()
        made.start("database")
        migrated = made.container("migrate").run(*made.command("migrate"), seconds=120)
        assert migrated.returncode == 0, migrated.stderr
        carry_out(made, told_command("token create prometheus "))
        for name in ("alertmanager", "prometheus", "service"):
            made.start(name)
        yield made
    shutil.rmtree(folder)


# What docs/deployment.md says to type.


def told_commands() -> list[str]:
    """Every command for Docker in it, in order."""
    return [
        line.strip() for line in GUIDE.read_text("utf-8").splitlines() if line.strip().startswith("docker ")
    ]


def told_command(part: str) -> str:
    return next(line for line in told_commands() if part in line)


def carry_out(stack: composition.Stack, line: str) -> None:
    """A command of the guide, here; what only Docker can do is left out. Raises AssertionError where it fails."""
    command, given, written = redirected(line)
    _, _, verb, *words = shlex.split(command)
    volumes, name, arguments = apart(words, stack)
    if verb == "stop":
        stack.stop(name)
    elif verb == "up" and "service" not in stack.started:
        stack.start("service")
    elif verb == "exec":
        done = stack.exec(name, *arguments, given=(stack.folder / given).read_bytes() if given else b"")
        told_well(stack, line, done.returncode, (done.stdout, done.stderr), written)
    elif verb == "run":
        ran = stack.run(name, *arguments, volumes=volumes)
        told_well(stack, line, ran.returncode, (ran.stdout.encode(), ran.stderr.encode()), written)


def apart(words: list[str], stack: composition.Stack) -> tuple[list[str], str, list[str]]:
    """The volumes among the options, the service, and what follows it."""
    volumes = []
    while words and words[0].startswith("-"):
        if words.pop(0) == "--volume":
            volumes.append(words.pop(0).replace(EXPORTS, exports(stack), 1))
    return volumes, words[0] if words else "", words[1:]


def redirected(line: str) -> tuple[str, str, str]:
    """The command, the file that it reads, the file that it writes."""
    found = re.fullmatch(r"(.*?)(?: < (\S+))?(?: > (\S+))?", line)
    assert found is not None
    return found[1], found[2] or "", (found[3] or "").removeprefix("deploy/")


def told_well(
    stack: composition.Stack, line: str, code: int, said: tuple[bytes, bytes], written: str
) -> None:
    is_check = line.endswith("afterbell check")  # which finds that records are missing still
    assert code == (1 if is_check else 0), f"{line}\n{said[0][-2000:]!r}\n{said[1][-2000:]!r}"
    assert b"Traceback" not in said[1], line
    if written:
        (stack.folder / written).write_bytes(said[0])


def exports(stack: composition.Stack) -> str:
    folder = stack.folder / "exports"
    folder.mkdir(exist_ok=True)
    (folder / "schools.csv").write_text("ncessch,name\n990000100001,Alder Creek\n", encoding="utf-8")
    return str(folder)


# The image


def test_the_image_runs_the_service_as_a_user_who_may_not_change_it(image: dockerfile.Image) -> None:
    at = containers.Container(
        root=image.root,
        environment=image.environment,
        user=image.user,
        folder=image.folder,
        is_read_only=True,
    )
    assert (image.entrypoint, image.command, image.ports) == (["afterbell"], ["serve"], ["8080"])
    assert at.run(*image.entrypoint, "--version").stdout.startswith("afterbell ")
    assert at.run("id", "--user").stdout.strip() == "10001"
    assert at.run("touch", "/opt/afterbell/bin/afterbell").returncode != 0
    assert "No module named 'pytest'" in at.run("python", "-c", "import pytest").stderr


# The services


def test_the_services_are_healthy_by_their_own_health_checks(stack: composition.Stack) -> None:
    assert {name: stack.is_healthy(name) for name in SERVICES} == dict.fromkeys(SERVICES, True)


def test_every_health_check_fails_where_nothing_answers(stack: composition.Stack) -> None:
    names = (*SERVICES, "grafana")
    with containers.network() as silent:
        alone = composition.Stack(told=stack.told, folder=stack.folder, image=stack.image, network=silent)
        assert {name: alone.is_healthy(name) for name in names} == dict.fromkeys(names, False)


def test_every_service_is_a_user_without_any_capability_on_a_root_that_it_cannot_write(
    stack: composition.Stack,
) -> None:
    for name in stack.told["services"]:
        at = stack.container(name)
        said = at.run("grep", "-E", "^(CapEff|CapBnd|NoNewPrivs|Uid)", "/proc/self/status").stdout
        facts = dict(line.split(":\t", 1) for line in said.splitlines())
        assert (int(facts["CapEff"], 16), int(facts["CapBnd"], 16), facts["NoNewPrivs"]) == (0, 0, "1"), name
        assert facts["Uid"].split()[0] != "0", name
        assert "Read-only file system" in at.run("touch", "/etc/x").stderr, name


def test_what_is_mounted_from_the_checkout_cannot_be_written(stack: composition.Stack) -> None:
    for name, of in stack.told["services"].items():
        for source, target, mode in (told.split(":") for told in of["volumes"]):
            written = stack.container(name).run("touch", f"{target}/x").returncode == 0
            assert written == (mode == "rw"), (name, source)


def test_without_a_token_nothing_is_shown(stack: composition.Stack) -> None:
    assert stack.network.ask("http://127.0.0.1:8080/metrics")[0] == 401
    assert stack.network.ask("http://127.0.0.1:8080/")[0] in (302, 303)
    token = stack.secret("metrics_token").read_text().strip()
    status, body = stack.network.ask("http://127.0.0.1:8080/metrics", token=token)
    assert (status, "afterbell_build_info" in body) == (200, True)


def test_the_databases_owner_is_no_superuser(stack: composition.Stack) -> None:
    url = stack.secret("database_url").read_text().strip().replace("@database", "@127.0.0.1")
    assert psql(stack, url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == (0, "f")


def psql(stack: composition.Stack, url: str, statement: str) -> tuple[int, str]:
    done = stack.exec("database", "psql", "--no-psqlrc", "-Atc", statement, url)
    return done.returncode, done.stdout.decode().strip()


def test_a_new_password_of_the_database_holds_once_the_script_has_run(stack: composition.Stack) -> None:
    file = stack.secret("database_password")
    old = file.read_text()
    file.write_text("another-password")  # into the file that is mounted already
    try:
        assert stack.exec("database", *shlex.split(told_command("10-afterbell.sh"))[5:]).returncode == 0
        assert psql(stack, "postgresql://afterbell:another-password@127.0.0.1/afterbell", "SELECT 1")[0] == 0
        assert psql(stack, f"postgresql://afterbell:{old}@127.0.0.1/afterbell", "SELECT 1")[0] != 0
    finally:
        file.write_text(old)
        stack.exec("database", "/docker-entrypoint-initdb.d/10-afterbell.sh")


def test_the_commands_of_the_guide_work_in_its_order(stack: composition.Stack) -> None:
    """From the second token to the restored backup; Grafana's reader sees its views, and no table."""
    carried_out = told_commands()
    for line in carried_out:
        if "token create prometheus " not in line:  # that one began all this
            carry_out(stack, line)
    carry_out(stack, told_command(READER))  # as it says after a restore
    password = stack.secret("grafana_reader_password").read_text()
    url = f"postgresql://afterbell_reader_1:{password}@127.0.0.1/afterbell"
    until_summed_up(stack, url)
    assert psql(stack, url, "SELECT count(*) FROM public.loans")[0] != 0
    assert psql(stack, url.replace("_reader_1:" + password, "_reader_1:wrong"), "SELECT 1")[0] != 0
    for harm in ("pg_advisory_lock(1634034293, 1)", "pg_try_advisory_xact_lock(1)", "lo_create(0)"):
        assert psql(stack, url, f"SET default_transaction_read_only = off; SELECT {harm}")[0] != 0
    verbs = {shlex.split(redirected(line)[0])[2] for line in carried_out}
    assert {"exec", "run", "stop", "up"} <= verbs


def until_summed_up(stack: composition.Stack, url: str) -> None:
    """Reports are summed up a minute after a start."""
    deadline = time.monotonic() + SECONDS
    while (found := psql(stack, url, "SELECT count(*) FROM reporting.schools")) != (0, "1"):
        assert time.monotonic() < deadline, found
        time.sleep(1)


def test_prometheus_scrapes_the_service_with_its_token_and_knows_alertmanager(
    stack: composition.Stack,
) -> None:
    until_up(stack)
    _, body = stack.network.ask("http://127.0.0.1:9090/api/v1/alertmanagers")
    (known,) = json.loads(body)["data"]["activeAlertmanagers"]
    assert known["url"] == "http://alertmanager:9093/api/v2/alerts"
    _, body = stack.network.ask("http://127.0.0.1:9090/api/v1/rules")
    groups = json.loads(body)["data"]["groups"]
    assert len(groups) >= 2
    assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}


def until_up(stack: composition.Stack) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        _, body = stack.network.ask("http://127.0.0.1:9090/api/v1/query?query=up%7Bjob%3D%22afterbell%22%7D")
        found = json.loads(body)["data"]["result"]
        if found and found[0]["value"][1] == "1":
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


def test_the_service_stops_when_it_is_told_to(stack: composition.Stack) -> None:
    assert stack.stop("service") == 0
    assert not stack.is_healthy("service")
    stack.start("service")


def test_no_secret_is_in_a_log_or_a_command(stack: composition.Stack) -> None:
    logs = "".join(path.read_text("utf-8", "replace") for path in stack.folder.glob("*.log"))
    commands = json.dumps(dict(stack.told["services"]))
    secrets = {path.name: path.read_text().strip() for path in (stack.folder / "secrets").iterdir()}
    assert [name for name, secret in secrets.items() if secret and secret in logs + commands] == []
