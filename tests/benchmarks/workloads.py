"""What is measured, against whom, and which goal each figure has."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import machine
from measure import Candidate, MissingError, Run, Worker, Workload, run_program

PEERS = Path(__file__).resolve().parent / "peers"
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")  # where Debian keeps other builds of BLAS, each in a folder

SMALL = [784, 128, 10]
MEDIUM = [784, 800, 10]
LARGE = [784, 1024, 1024, 1024, 10]


def text_of(sizes: list[int]) -> str:
    return ",".join(map(str, sizes))


def torch_settings(threads: int) -> dict[str, dict[str, str]]:
    """The environments in which PyTorch may be quickest: who has threads, and how they wait for work.

    Its own loops use OpenMP; its products use the BLAS that is found, with threads of its own or OpenMP's.
    """
    one = {
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "BLIS_NUM_THREADS": str(threads),
    }
    settings = {"as it comes": one}
    if threads > 1:
        settings["BLAS alone threaded"] = {**one, "OMP_NUM_THREADS": "1"}
        settings["OpenMP alone threaded"] = {**one, "OPENBLAS_NUM_THREADS": "1"}
        settings["OpenMP passive"] = {**one, "OMP_WAIT_POLICY": "passive"}
        settings["both sleep early"] = {**one, "OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "14"}
    for name in ("openblas-openmp", "blis-openmp"):
        if (LIBRARIES / name).is_dir():
            settings[name] = {**one, "LD_LIBRARY_PATH": str(LIBRARIES / name)}
            if threads > 1:
                settings[f"{name}, active"] = {**settings[name], "OMP_WAIT_POLICY": "active"}
    return settings


class Workers:
    """Workers by interpreter, script and environment, started when first needed."""

    def __init__(self, peer_python: str) -> None:
        self.peer_python = peer_python
        self.names: dict[str, str] = {}
        self._running: dict[tuple[str, ...], Worker | MissingError] = {}

    def ask(self, script: str, environment: dict[str, str], **request: object) -> dict[str, float]:
        ours = script in ("digitnet_worker", "numpy_worker", "onnx_worker")
        python = sys.executable if ours else self.peer_python
        key = (script, *(f"{name}={value}" for name, value in sorted(environment.items())))
        if key not in self._running:
            try:
                worker = Worker([python, str(PEERS / f"{script}.py")], environment)
                self.names[script] = worker.name
                self._running[key] = worker
            except MissingError as error:
                self._running[key] = error
        found = self._running[key]
        if isinstance(found, MissingError):
            raise found
        return found.ask(**request)

    def close(self) -> None:
        for worker in self._running.values():
            if isinstance(worker, Worker):
                worker.close()
        self._running.clear()


@contextmanager
def busy_processor() -> Iterator[None]:
    """One processor's time goes to somebody else."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Bench:
    """Makes the workloads. `quick` shortens what has a length of its own."""

    def __init__(self, workers: Workers, programs: Path, plain: Path, packed: Path, quick: bool) -> None:
        self.workers = workers
        self.programs = programs
        self.plain = plain
        self.packed = packed
        self.quick = quick

    def all(self) -> list[Workload]:
        return [
            *self.training(),
            *self.thread_gain(),
            *self.against_gemm(),
            self.ancestor(),
            *self.predictions(),
            *self.loading(),
            self.memory(),
            self.time_to_accuracy(),
        ]

    # --- training -----------------------------------------------------------------------------------------

    def train_speed(
        self, sizes: list[int], batch: int, optimizer: str, threads: int, *, zeros: bool = True
    ) -> Run:
        def run(seconds: float, _: int) -> float:
            program = machine.require_program(self.programs, "train_speed")
            command = [program, "--data", self.plain, "--sizes", text_of(sizes), "--batch", batch]
            command += ["--optimizer", optimizer, "--threads", threads, "--seconds", seconds]
            command += ["--warm-up", min(0.3, seconds)] + ([] if zeros else ["--without-zeros"])
            return run_program(*command)["samples_per_second"]

        return run

    def torch_training(
        self, sizes: list[int], batch: int, optimizer: str, threads: int, *, zeros: bool = True
    ) -> dict[str, list[Candidate]]:
        """With autograd, as people write it, and by hand (see peers/torch_training.py)."""

        def run_with(environment: dict[str, str], variant: str) -> Run:
            own_threads = int(environment["OMP_NUM_THREADS"])
            return lambda seconds, _: self.workers.ask(
                "torch_worker",
                environment,
                task="train",
                data=str(self.plain),
                sizes=sizes,
                batch=batch,
                optimizer=optimizer,
                threads=own_threads,
                variant=variant,
                seconds=seconds,
                zeros=zeros,
            )["samples_per_second"]

        return {
            peer: [
                Candidate(f"{variant}, {setting}", run_with(environment, variant))
                for setting, environment in torch_settings(threads).items()
                for variant in variants
            ]
            for peer, variants in (("torch", ("autograd", "foreach")), ("torch-manual", ("manual",)))
        }

    def sklearn_training(self, sizes: list[int], batch: int, optimizer: str, threads: int) -> list[Candidate]:
        environment = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        return [
            Candidate(
                "partial_fit",
                lambda seconds, _: self.workers.ask(
                    "sklearn_worker",
                    environment,
                    task="train",
                    data=str(self.plain),
                    sizes=sizes,
                    batch=batch,
                    optimizer=optimizer,
                    threads=threads,
                    seconds=seconds,
                )["samples_per_second"],
            )
        ]

    def training(self) -> list[Workload]:
        """Samples a second, all data in memory; the peers at their best, with the same number of threads."""
        cases = [
            (SMALL, batch, optimizer, threads, 4.0)
            for optimizer in ("momentum", "adam")
            for batch in (64, 128)
            for threads in (1, 2)
        ]
        cases += [(MEDIUM, 128, "momentum", threads, 3.5) for threads in (1, 2)]
        cases += [(LARGE, 128, "momentum", 1, 1.0), (LARGE, 128, "momentum", 2, 1.2)]
        workloads = []
        for sizes, batch, optimizer, threads, goal in cases:
            peers = self.torch_training(sizes, batch, optimizer, threads)
            if optimizer == "momentum" and threads == 1 and batch == 128:
                peers["scikit-learn"] = self.sklearn_training(sizes, batch, optimizer, threads)
            workloads.append(
                Workload(
                    name=f"train {'-'.join(map(str, sizes))} {optimizer} batch {batch} threads {threads}",
                    unit="samples/s",
                    digitnet=self.train_speed(sizes, batch, optimizer, threads),
                    peers=peers,
                    at_least={"torch": goal, "torch-manual": goal},
                )
            )
        workloads += [
            Workload(
                name=f"train without zeros 784-128-10 momentum batch 128 threads {threads}",
                unit="samples/s",
                digitnet=self.train_speed(SMALL, 128, "momentum", threads, zeros=False),
                peers=self.torch_training(SMALL, 128, "momentum", threads, zeros=False),
                at_least={"torch": 1.6, "torch-manual": 1.6},
            )
            for threads in (1, 2)
        ]
        return workloads

    def thread_gain(self) -> list[Workload]:
        """Two threads against one; the small network also while somebody else needs a processor."""

        def beside_busy(run: Run) -> Run:
            def busy(seconds: float, repetition: int) -> float:
                with busy_processor():
                    return run(seconds, repetition)

            return busy

        workloads = []
        for sizes, goal in ((SMALL, 1.0), (MEDIUM, 1.7), (LARGE, 1.7)):
            one, two = (self.train_speed(sizes, 128, "momentum", threads) for threads in (1, 2))
            workloads.append(
                Workload(
                    name=f"threads {'-'.join(map(str, sizes))}",
                    unit="samples/s",
                    digitnet=two,
                    peers={"one thread": [Candidate("1 thread", one)]},
                    at_least={"one thread": goal},
                )
            )
        one, two = (beside_busy(self.train_speed(SMALL, 128, "momentum", threads)) for threads in (1, 2))
        workloads.append(
            Workload(
                name="threads 784-128-10 beside a busy process",
                unit="samples/s",
                digitnet=two,
                peers={"one thread": [Candidate("1 thread", one)]},
                at_least={"one thread": 1.0},
            )
        )
        return workloads

    def against_gemm(self) -> list[Workload]:
        """The arithmetic of a training of wide layers against the rate of its matrix products.

        Counted as if dense: 6 operations a weight and sample (forward, backward, gradient; each a product and
        a sum), for the first layer 4, since nothing goes back to the inputs.
        """
        flops = 4 * LARGE[0] * LARGE[1] + 6 * sum(a * b for a, b in zip(LARGE[1:], LARGE[2:]))

        def products(threads: int) -> Run:
            def run(seconds: float, _: int) -> float:
                program = machine.require_program(self.programs, "gemm_speed")
                rates = run_program(program, "--threads", threads, "--seconds", seconds)
                return statistics.harmonic_mean([rates["nn"], rates["nt"], rates["tn"]])

            return run

        def training(threads: int) -> Run:
            speed = self.train_speed(LARGE, 128, "momentum", threads)
            return lambda seconds, repetition: speed(seconds, repetition) * flops / 1e9

        return [
            Workload(
                name=f"train {'-'.join(map(str, LARGE))} against sgemm threads {threads}",
                unit="GF/s",
                digitnet=training(threads),
                peers={"sgemm": [Candidate("128 x 1024 x 1024: nn, nt, tn", products(threads))]},
                at_least={"sgemm": 0.85},
            )
            for threads in (1, 2)
        ]

    def ancestor(self) -> Workload:
        """The per-sample loop in NumPy against digitnet with batches, both from Python."""
        sizes = [784, 250, 10]
        threads = {f"{n} BLAS threads": {"OPENBLAS_NUM_THREADS": str(n)} for n in (1, 2)}

        def loop(environment: dict[str, str]) -> Run:
            return lambda seconds, _: self.workers.ask(
                "numpy_worker",
                environment,
                task="train_by_sample",
                data=str(self.plain),
                sizes=sizes,
                seconds=seconds,
            )["samples_per_second"]

        return Workload(
            name="ancestor 784-250-10",
            unit="samples/s",
            digitnet=lambda seconds, _: self.workers.ask(
                "digitnet_worker",
                {},
                task="train_sigmoid",
                data=str(self.plain),
                sizes=sizes,
                batch=128,
                threads=2,
                seconds=seconds,
            )["samples_per_second"],
            peers={
                "ancestor": [Candidate(label, loop(environment)) for label, environment in threads.items()]
            },
            at_least={"ancestor": 60},
        )

    # --- predictions --------------------------------------------------------------------------------------

    def python_prediction(
        self,
        script: str,
        figure: str,
        environments: dict[str, dict[str, str]],
        variants: list[str],
        **request: object,
    ) -> list[Candidate]:
        def run_with(environment: dict[str, str], variant: str | None) -> Run:
            extra = {} if variant is None else {"variant": variant}
            return lambda seconds, _: self.workers.ask(
                script, environment, task="predict", data=str(self.plain), seconds=seconds, **extra, **request
            )[figure]

        return [
            Candidate(", ".join(filter(None, (variant, setting))), run_with(environment, variant))
            for setting, environment in environments.items()
            for variant in (variants or [None])
        ]

    def prediction_peers(self, figure: str, threads: int, **request: object) -> dict[str, list[Candidate]]:
        plain = {"": {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}}
        request = {"sizes": SMALL, "threads": threads, **request}
        torch = torch_settings(threads)
        return {
            "torch": self.python_prediction("torch_worker", figure, torch, ["eager"], **request),
            "torch-jit": self.python_prediction(
                "torch_worker", figure, torch, ["jit", "jit-optimized"], **request
            ),
            "scikit-learn": self.python_prediction("sklearn_worker", figure, plain, [], **request),
            "numpy": self.python_prediction("numpy_worker", figure, plain, [], **request),
            "onnxruntime": self.python_prediction("onnx_worker", figure, plain, [], **request),
        }

    def predictions(self) -> list[Workload]:
        """One image at a time, 784-128-10, one thread; then 10,000 images at once, from bytes."""

        def program(figure: str, *words: object) -> tuple[Run, Callable[[], str]]:
            tails: list[float] = []

            def run(seconds: float, _: int) -> float:
                path = machine.require_program(self.programs, "predict_speed")
                result = run_program(path, "--data", self.plain, "--seconds", seconds, *words)
                tails.append(result.get("p99_us", 0.0))
                return result[figure]

            return run, lambda: f"99th percentile {statistics.median(tails):.2f} us"

        digit, digit_tail = program("p50_us")
        dense, dense_tail = program("p50_us", "--without-zeros")
        single = [
            Workload("one image C++", "us", digit, limit=2.5, less_is_better=True, remark=digit_tail),
            Workload(
                "one image without zeros C++", "us", dense, limit=6, less_is_better=True, remark=dense_tail
            ),
            Workload(
                name="one image Python",
                unit="us",
                digitnet=self.python_prediction(
                    "digitnet_worker", "p50_us", {"": {}}, [], sizes=SMALL, threads=1
                )[0].run,
                peers=self.prediction_peers("p50_us", 1),
                limit=9,
                less_is_better=True,
            ),
        ]
        batches = [
            Workload(
                name=f"batch of 10000 images threads {threads}",
                unit="images/s",
                digitnet=program("images_per_second", "--batch", 10000, "--threads", threads)[0],
                peers=self.prediction_peers("images_per_second", threads, batch=10000),
                at_least={"torch-jit": 3},
            )
            for threads in (1, 2)
        ]
        return single + batches

    # --- loading and memory -------------------------------------------------------------------------------

    def loading(self) -> list[Workload]:
        """load_mnist against what cannot be left out; both are measured by turns in one process."""
        workloads = []
        for name, folder, peer, times in (
            ("load plain files", self.plain, "bytes alone", 1.3),
            ("load gzip files", self.packed, "zlib alone", 1.1),
        ):
            other: list[float] = []

            def load(seconds: float, _: int, folder: Path = folder, other: list[float] = other) -> float:
                program = machine.require_program(self.programs, "load_speed")
                result = run_program(program, "--data", folder, "--seconds", seconds)
                other[:] = [1000 * result["bytes_seconds"]]
                return 1000 * result["load_seconds"]

            workloads.append(
                Workload(
                    name=name,
                    unit="ms",
                    digitnet=load,
                    peers={peer: [Candidate("", lambda _seconds, _, other=other: other[0])]},
                    at_least={peer: 1 / times},
                    less_is_better=True,
                    remark=lambda times=times: f"the goal in words: at most {times} times the time",
                )
            )
        return workloads

    def memory(self) -> Workload:
        def peak(_seconds: float, _: int) -> float:
            program = machine.require_program(self.programs, "time_to_accuracy")
            sizes = text_of(SMALL)
            return run_program(program, "--data", self.plain, "--sizes", sizes, "--epochs", 1)[
                "peak_memory_mb"
            ]

        return Workload("peak memory of training", "MB", peak, limit=130, less_is_better=True)

    # --- time to accuracy ---------------------------------------------------------------------------------

    def time_to_accuracy(self) -> Workload:
        """From start to end of a process: load, train 784-256-10 by a recipe fixed before, evaluate."""
        reached: dict[str, list[float]] = {}

        def race(who: str, command: list[str], environment: dict[str, str]) -> Run:
            def run(_seconds: float, repetition: int) -> float:
                words = [*command, "--data", str(self.plain), "--seed", str(repetition + 1)]
                if self.quick:
                    words += ["--epochs", "1"]
                start = time.perf_counter()
                result = run_program(*words, environment=environment)
                seconds = time.perf_counter() - start
                reached.setdefault(who, []).append(result["accuracy"])
                return seconds

            return run

        def mine(seconds: float, repetition: int) -> float:
            program = machine.require_program(self.programs, "time_to_accuracy")
            return race("digitnet", [program, "--threads", "2"], {})(seconds, repetition)

        python = self.workers.peer_python
        torch = str(PEERS / "torch_time_to_accuracy.py")
        sklearn = str(PEERS / "sklearn_time_to_accuracy.py")
        torch_candidates = [
            Candidate(name, race("torch", [python, torch, "--threads", env["OMP_NUM_THREADS"]], env))
            for name, env in torch_settings(2).items()
        ]
        sklearn_candidates = [
            Candidate(
                f"{n} threads", race("scikit-learn", [python, sklearn], {"OPENBLAS_NUM_THREADS": str(n)})
            )
            for n in (1, 2)
        ]

        def remark() -> str:
            parts = []
            for who, accuracies in reached.items():
                share = sum(accuracy >= 0.98 for accuracy in accuracies[-10:])
                last = accuracies[-10:]
                parts.append(f"{who} {share} of {len(last)} runs, median {statistics.median(last):.4f}")
            return "reached 98.0 %: " + "; ".join(parts)

        return Workload(
            name="time to 98.0 % 784-256-10",
            unit="s",
            digitnet=mine,
            peers={"torch": torch_candidates, "scikit-learn": sklearn_candidates},
            at_least={"torch": 6, "scikit-learn": 10},
            less_is_better=True,
            repetitions=10,
            remark=remark,
        )
