"""docker-compose.yml and what belongs to it: by the Compose schema, and by the rules that docs/deployment.md tells."""

import itertools
import json
import os
import re
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from service import config
from service.imports import pseudonym_keys
from tests import conftest
from tests.acceptance import composition, dockerfile

ROOT = composition.ROOT
GUIDE = ROOT / "docs" / "deployment.md"
SCHEMA = Path("/usr/lib/python3/dist-packages/compose/config/compose_spec.json")  # docker-compose brings it
RAW: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = RAW["services"]
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
SECRET_PATH = re.compile(r"/run/secrets/(\w+)")


def text(*names: str) -> str:
    return ROOT.joinpath(*names).read_text("utf-8")


def secrets_of(service: str) -> set[str]:
    return set(SERVICES[service].get("secrets", ()))


# docker-compose.yml


def test_the_file_is_valid_by_the_compose_schema() -> None:
    if not SCHEMA.exists():
        conftest.missing_program("docker-compose", "apt-get install docker-compose")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator = jsonschema.Draft201909Validator(schema)
    validator.validate(RAW)
    assert not validator.is_valid({**RAW, "services": {"service": {"imagee": "x"}}})


def test_docker_compose_reads_it_with_the_example_of_the_environment_and_without(tmp_path: Path) -> None:
    empty = tmp_path / "env"
    empty.touch()
    assert set(composition.read()["services"]) == set(SERVICES)
    assert composition.read(env_file=empty) == composition.read()


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_held_to_what_it_needs(name: str) -> None:
    of = SERVICES[name]
    assert of["read_only"] is True
    assert of["cap_drop"] == ["ALL"]
    assert of["security_opt"] == ["no-new-privileges:true"]
    uid, _ = of["user"].split(":")
    assert int(uid) > 0
    assert all(of[limit] for limit in ("mem_limit", "cpus", "pids_limit"))
    assert of["logging"]["options"].keys() == {"max-size", "max-file"}
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(of)


@pytest.mark.parametrize("name", SERVICES)
def test_every_version_is_pinned(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].rpartition(":")
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-\w+)?", tag)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_starts_again_and_has_a_health_check_but_the_one_that_ends(name: str) -> None:
    of = SERVICES[name]
    if name == "migrate":
        assert (of["restart"], of["healthcheck"]) == ("no", {"disable": True})
    else:
        assert of["restart"] == "unless-stopped"
        assert of["healthcheck"]["test"][0] == "CMD"
        assert {"interval", "timeout", "retries", "start_period"} <= set(of["healthcheck"])


def test_ports_are_open_on_this_machine_only_and_the_databases_is_not() -> None:
    published = {name: port for name, of in SERVICES.items() for port in of.get("ports", ())}
    assert set(published) == {"service", "prometheus", "alertmanager", "grafana"}
    assert all(port.startswith("127.0.0.1:${") for port in published.values())


def test_the_database_is_on_a_network_of_its_own_that_leads_nowhere() -> None:
    assert RAW["networks"]["data"] == {"internal": True}
    reached = {name for name, of in SERVICES.items() if "data" in of.get("networks", ())}
    assert reached == {"database", "migrate", "service", "grafana"}
    assert SERVICES["database"]["networks"] == ["data"]


def test_the_service_waits_for_the_schema_and_the_schema_for_the_database() -> None:
    assert SERVICES["migrate"]["depends_on"]["database"] == {"condition": "service_healthy"}
    assert SERVICES["service"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    for of in SERVICES.values():
        assert set(of.get("depends_on", ())) <= set(SERVICES)


def mounts() -> list[tuple[str, str, str]]:
    """The service, the source and the target of every volume."""
    return [(name, *told.split(":")[:2]) for name, of in SERVICES.items() for told in of.get("volumes", ())]


def test_every_mounted_path_exists_and_is_read_only() -> None:
    folders = [(name, source) for name, source, _ in mounts() if source.startswith(".")]
    assert len(folders) >= 5
    assert [source for _, source in folders if not (ROOT / source).is_dir()] == []
    told = [one for of in SERVICES.values() for one in of.get("volumes", ()) if one.startswith(".")]
    assert [one for one in told if not one.endswith(":ro")] == []


def test_every_named_volume_is_declared_and_used() -> None:
    assert {source for _, source, _ in mounts() if not source.startswith(".")} == set(RAW["volumes"])


def test_the_image_is_of_this_version_and_checked_as_the_dockerfile_says() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert SERVICES["service"]["image"] == SERVICES["migrate"]["image"] == f"afterbell:{version}"
    (told,) = [given for word, given in dockerfile.parsed(text("Dockerfile")) if word == "HEALTHCHECK"]
    checked = ["CMD", *json.loads(told.partition("CMD ")[2])]
    assert SERVICES["service"]["healthcheck"]["test"] == checked
    users = [given for word, given in dockerfile.parsed(text("Dockerfile")) if word == "USER"]
    assert users == [SERVICES["service"]["user"]]


# The environment


def test_every_variable_is_in_the_example_with_the_default_of_the_file() -> None:
    lines = [line for line in text(".env.example").splitlines() if line and not line.startswith("#")]
    example = dict(line.split("=", 1) for line in lines)
    used = dict(VARIABLE.findall(text("docker-compose.yml")))
    assert used == {name: value for name, value in example.items() if name != "COMPOSE_PROJECT_NAME"}


def test_another_port_and_address_reach_the_services(tmp_path: Path) -> None:
    other = tmp_path / "env"
    other.write_text("PAGE_PORT=9999\nPAGE_ADDRESS=https://afterbell.district.example\n")
    of = composition.read(env_file=other)["services"]["service"]
    assert of["ports"] == ["127.0.0.1:9999:8080/tcp"]
    assert of["environment"]["AFTERBELL_PAGE_ADDRESS"] == "https://afterbell.district.example"


# The secrets


def made(folder: Path) -> str:
    return subprocess.run(
        [ROOT / "deploy" / "make-secrets", folder], check=True, capture_output=True, text=True
    ).stdout


def test_every_secret_is_a_file_of_the_folder_and_somebody_reads_it() -> None:
    assert {name: {"file": f"./deploy/secrets/{name}"} for name in RAW["secrets"]} == RAW["secrets"]
    assert set(itertools.chain.from_iterable(map(secrets_of, SERVICES))) == set(RAW["secrets"])


def test_make_secrets_makes_every_secret_but_the_token_that_the_service_makes(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert "metrics_token is the service's to make" in made(folder)
    assert {path.name for path in folder.iterdir()} == set(RAW["secrets"]) - {"metrics_token"}
    given = {"mail_password", "webhook_token"}
    random = [path.read_text() for path in folder.iterdir() if path.name not in {*given, "database_url"}]
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in random)
    assert len(set(random)) == len(random) == 5
    assert all((folder / name).read_text() == "" for name in given)
    password = (folder / "database_password").read_text()
    url = (folder / "database_url").read_text()
    assert url == f"postgresql://afterbell:{password}@database:5432/afterbell\n"


def test_the_folder_of_secrets_is_its_owners_alone_and_containers_can_read_what_they_get(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "secrets"
    made(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}


def test_make_secrets_changes_nothing_that_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made(folder)
    before = {path.name: path.read_text() for path in folder.iterdir()}
    (folder / "grafana_admin_password").unlink()
    (folder / "mail_password").chmod(0o600)
    (folder / "mail_password").write_text("of the district")
    said = made(folder)
    after = {path.name: path.read_text() for path in folder.iterdir()}
    assert after.pop("mail_password") == "of the district"
    assert after.pop("grafana_admin_password") != before.pop("grafana_admin_password")
    assert after == {name: secret for name, secret in before.items() if name != "mail_password"}
    assert "database_password is there, and stays" in said
    assert not any(secret in said for secret in before.values() if secret)


def test_no_secret_is_ever_part_of_the_repository() -> None:
    assert text("deploy", "secrets", ".gitignore").split() == ["*", "!.gitignore"]
    assert ".env" in text(".gitignore").split()


# The files that are mounted


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("prometheus", "deploy/prometheus/prometheus.yml"),
        ("alertmanager", "deploy/alertmanager/alertmanager.yml"),
        ("database", "deploy/database/10-afterbell.sh"),
        ("service", "deploy/afterbell/afterbell.toml"),
        ("grafana", "deploy/grafana/provisioning/datasources/afterbell.yaml"),
    ],
)
def test_a_mounted_file_names_secrets_that_its_service_has(service: str, path: str) -> None:
    lines = [line for line in text(path).splitlines() if not line.startswith("# credentials")]
    assert (named := set(SECRET_PATH.findall("\n".join(lines))))
    assert named <= secrets_of(service)


def test_a_service_names_secrets_that_it_has() -> None:
    for name, of in SERVICES.items():
        told = json.dumps([of.get("environment"), of.get("command")])
        assert set(SECRET_PATH.findall(told)) <= secrets_of(name), name


def hours(told: str) -> float:
    number, unit = re.fullmatch(r"(\d+)([mhdw])", told).groups()  # type: ignore[union-attr]
    return int(number) * {"m": 1 / 60, "h": 1, "d": 24, "w": 168}[unit]


def repeats(route: dict[str, Any]) -> list[float]:
    own = [hours(route["repeat_interval"])] if "repeat_interval" in route else []
    return [*own, *itertools.chain.from_iterable(map(repeats, route.get("routes", ())))]


def test_alertmanager_remembers_what_it_told_for_longer_than_until_it_tells_it_again() -> None:
    (kept,) = re.findall(r"--data\.retention=(\w+)", " ".join(SERVICES["alertmanager"]["command"]))
    longest = max(repeats(yaml.safe_load(text("deploy", "alertmanager", "alertmanager.yml"))["route"]))
    assert hours(kept) > longest
    assert f"`--data.retention={kept}`" in text("docs", "prometheus.md")


def test_prometheus_and_grafana_ask_for_services_by_their_names_and_ports() -> None:
    told = yaml.safe_load(text("deploy", "prometheus", "prometheus.yml"))
    (scraped,) = told["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": ["service:8080"]}]
    assert told["alerting"]["alertmanagers"][0]["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    sources = yaml.safe_load(text("deploy", "grafana", "provisioning", "datasources", "afterbell.yaml"))
    assert {one["url"] for one in sources["datasources"]} == {"http://prometheus:9090", "database:5432"}
    assert {one["jsonData"].get("database") for one in sources["datasources"]} == {None, "afterbell"}


def test_grafana_finds_its_dashboards_where_they_are_mounted() -> None:
    told = yaml.safe_load(text("deploy", "grafana", "provisioning", "dashboards", "afterbell.yaml"))
    mounted = {target: source for name, source, target in mounts() if name == "grafana"}
    for provider in told["providers"]:
        assert list((ROOT / mounted[provider["options"]["path"]]).glob("*.json"))
    assert mounted["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"


def test_the_configuration_is_good_with_what_the_file_puts_over_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith(config.ENV_PREFIX)]:
        monkeypatch.delenv(name)
    for name, value in composition.read()["services"]["service"]["environment"].items():
        monkeypatch.setenv(name, value)
    assert os.environ["AFTERBELL_CONFIG"] == "/etc/afterbell/afterbell.toml"
    loaded = config.load(ROOT / "deploy" / "afterbell" / "afterbell.toml")
    assert (loaded.web.host, loaded.web.port) == ("0.0.0.0", 8080)  # noqa: S104
    assert str(loaded.web.tokens_file) == "/var/lib/afterbell/tokens"
    assert ("afterbell", "/var/lib/afterbell") in {(source, at) for _, source, at in mounts()}
    made(tmp_path / "secrets")
    pseudonym_keys.load(tmp_path / "secrets" / "pseudonym_key")


def test_what_is_commented_out_in_the_configuration_is_good_too(tmp_path: Path) -> None:
    lines = text("deploy", "afterbell", "afterbell.toml").splitlines()
    written = tmp_path / "afterbell.toml"
    shown = [re.sub(r"^# (?=[\[\w]+ ?(=|\]|\.))", "", line) for line in lines]
    written.write_text("\n".join(shown), encoding="utf-8")
    told = tomllib.loads(written.read_text("utf-8"))
    assert (told["mail"]["host"], len(told["districts"][0]["accounts"])) == ("mail.district.example", 2)
    assert config.load(written).districts[0].alerts.channels[0].key == "it-mail"


# What the image is made of


def test_what_builds_the_wheel_is_what_the_tests_build_it_with() -> None:
    pinned = set(re.split(r"^(?=\S)", text("requirements-dev.txt"), flags=re.MULTILINE))
    building = [
        one for one in re.split(r"^(?=\S)", text("requirements-build.txt"), flags=re.MULTILINE) if one
    ]
    assert building[0].startswith("hatchling==")
    assert [one for one in building if one not in pinned] == []


def test_both_stages_are_of_the_same_pinned_python() -> None:
    bases = [given.split()[0] for word, given in dockerfile.parsed(text("Dockerfile")) if word == "FROM"]
    assert len(bases) == 2
    assert re.fullmatch(r"python:3\.12\.\d+-slim-\w+", bases[0])
    assert set(bases) == {bases[0]}


# docs/deployment.md


def test_the_guide_tells_of_every_service_secret_and_variable() -> None:
    guide = GUIDE.read_text("utf-8")
    named = {*SERVICES, *RAW["secrets"]}
    assert {name for name in named if f"| `{name}` |" not in guide} == set()
    ports = {name for name, _ in VARIABLE.findall(text("docker-compose.yml")) if name.endswith("_PORT")}
    assert {name for name in ports if f"`{name}`" not in guide} == set()


def test_the_guide_tells_who_reads_each_secret() -> None:
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|[^|]*\|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+)`", readers)) for name, readers in rows if name in RAW["secrets"]}
    assert told == {name: {it for it in SERVICES if name in secrets_of(it)} for name in RAW["secrets"]}


def test_the_guides_file_of_an_accounts_secret_fits(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(services:.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    override = tmp_path / "docker-compose.override.yml"
    override.write_text(block, encoding="utf-8")
    of = composition.read(override)["services"]["service"]
    names = {told["source"] for told in of["secrets"]}
    assert names == {*secrets_of("service"), "kajeet_secret"}


def test_the_guides_roles_are_those_that_the_composition_makes() -> None:
    script = text("deploy", "database", "10-afterbell.sh")
    (block,) = re.findall(r"```sql\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    for line in block.replace(" PASSWORD '...'", "").splitlines():
        assert line in script
