"""Every long command, killed, interrupted and with faults in its files: ``make torture``.

Commands run in forks of a process that has imported everything, which takes milliseconds. After each run, no output is
partly written, no stack trace printed, and the temporary files are gone, after a kill with the next run. A resumed
training ends with the bytes of an uninterrupted one. Faults in files need gcc and Linux.
"""

import argparse
import atexit
import collections
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from click.testing import CliRunner  # noqa: E402

import wordvec_seqclf  # noqa: E402
from cli import main  # noqa: E402

SIZE = "--hidden-size 8 --vector-size 8 --batch-size 4"
COMMANDS = {
    "skipgram": "train-embeddings text.txt -o out.bin --vector-size 16 --epochs 40 --resume --checkpoint-every 0.05s",
    "glove": "train-embeddings text.txt -o out.bin --model glove --vector-size 16 --epochs 300 --resume "
    "--checkpoint-every 0.05s",
    "svd": "train-embeddings text.txt -o out.bin --model svd --vector-size 16 --no-cache",
    "classify": f"classify-text train labels.tsv -o out.bin {SIZE} --epochs 6 --resume --checkpoint-every 0.05s",
    "tag": f"tag-text train tags.tsv -o out.bin {SIZE} --epochs 6 --resume --checkpoint-every 0.05s",
    "language": "language-model train text.txt -o out.bin --hidden-size 8 --batch-size 4 --epochs 1 --resume "
    "--checkpoint-every 0.05s",
    "forecast": "forecast train series.csv -o out.bin --hidden-size 8 --window 8 --horizon 2 --epochs 12 --resume "
    "--checkpoint-every 0.05s",
    "transduce": f"transduce train pairs.tsv -o out.bin {SIZE} --target-vector-size 8 --epochs 4 --resume "
    "--checkpoint-every 0.05s",
    "picture": "wordvec plot vectors.txt v1 v2 v3 v4 --heatmap -o out.svg",
    "tfidf": "wordvec documents tfidf many.txt -o out.npz",
    "convert": "wordvec convert vectors.txt out.bin",
    "predict": "classify-text predict model.bin --input many.txt",
}
FAULTS = ("enospc", "eio", "fsync", "rename", "short", "interrupted", "short-read", "read-eio")
STREAMS = (">&-", "2>&-", "<&-", ">&- 2>&-", "> /dev/full", "2> /dev/full", "| true", "2>&1 | true")
IS_OUTPUT = {"out.bin", "out.npz", "out.svg"}


def command_of(line):
    """Return the command of a command line."""
    return getattr(main, line.split()[0].replace("-", "_"))


class Torture:
    """Runs commands in a folder, checks what they leave, and counts the outcomes."""

    def __init__(self, folder, seed):
        self.folder, self.random = Path(folder) / "work", random.Random(seed)
        self.stdout, self.stderr = Path(folder) / "stdout", Path(folder) / "stderr"  # which have no faults
        self.counts, self.faults = collections.Counter(), []
        self.whole, self.seconds = {}, {}
        self.temporary = self.folder / "temporary"
        self.temporary.mkdir(parents=True)
        os.environ |= {"TMPDIR": str(self.temporary), "WORDVEC_CACHE": str(self.folder / "cache")}
        tempfile.tempdir = None

    def prepare(self):
        """Write the inputs, and run every command once: its output is the expected one."""
        chance = random.Random(1)
        words = [f"w{number}" for number in range(300)]
        lines = [" ".join(chance.choices(words, range(300, 0, -1), k=12)) for _ in range(600)]
        self.inputs = {
            "text.txt": "\n".join(lines),
            "many.txt": "\n".join(lines * 20),
            "labels.tsv": "\n".join(f"{'yes' if 'w1 ' in line else 'no'}\t{line}" for line in lines[:150]),
            "tags.tsv": "\n\n".join("\n".join(f"{w}\t{len(w)}" for w in line.split()) for line in lines[:100]),
            "pairs.tsv": "\n".join(f"{line[:20]}\t{line[:20][::-1]}" for line in lines[:100]),
            "series.csv": "Sales\n" + "\n".join(str(step % 7 + step / 99) for step in range(150)),
            "vectors.txt": "3000 40\n" + "\n".join(f"v{row} " + " ".join(["0.125"] * 40) for row in range(3000)),
        }
        os.chdir(self.folder)
        for name, content in self.inputs.items():
            Path(name).write_text(content)
        for name, command in COMMANDS.items():
            if name == "predict":
                shutil.copy("classify.whole", "model.bin")
            # In this process, so that forks have its modules and kernels.
            result = CliRunner().invoke(command_of(command), command.split()[1:])
            assert result.exit_code == 0, (name, result.output)
            self.clear()
            code, said, self.seconds[name] = self.run(command)
            assert code == 0, (name, said)
            self.whole[name] = self.output()
            Path(f"{name}.whole").write_bytes(self.whole[name] or b"")

    def start(self, command, **environment):
        """Run a command in a fork and return its process id."""
        for file in (self.stdout, self.stderr):
            file.write_bytes(b"")
        child = os.fork()
        if child:
            return child
        os.environ |= environment
        for number, file in ((1, self.stdout), (2, self.stderr)):
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND)
            os.dup2(descriptor, number)
            os.close(descriptor)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        code = 1
        try:
            sys.argv = command.split()
            getattr(wordvec_seqclf, sys.argv[0].replace("-", "_"))()
        except SystemExit as error:
            code = error.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            atexit._run_exitfuncs()
            sys.stderr.flush()
            os._exit(code)

    def run(self, command, *, after=None, number=signal.SIGKILL, change=None, **environment):
        """Return exit code, stderr and seconds of a command, which gets a signal after some seconds."""
        began = time.monotonic()
        child = self.start(command, **environment)
        timer = None
        if after is not None:
            timer = threading.Timer(after, lambda: os.kill(child, number))
            timer.start()
        if change is not None:
            change(child)
        _, status = os.waitpid(child, 0)
        if timer is not None:
            timer.cancel()
            timer.join()
        return os.waitstatus_to_exitcode(status), self.stderr.read_text(), time.monotonic() - began

    def output(self):
        """Return the content of the output, None without one; predictions are on standard output."""
        found = [Path(name).read_bytes() for name in sorted(IS_OUTPUT) if Path(name).exists()]
        return found[0] if found else self.stdout.read_bytes() or None

    def clear(self):
        """Remove outputs and checkpoints."""
        for path in (*Path().glob("out.*"), *Path().glob(".out.*")):
            path.unlink()
        for path in self.temporary.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def leftovers(self):
        """Return the temporary files that no process needs any more."""
        return [
            str(path) for path in (*Path().glob(".*.part"), *self.temporary.iterdir(), *Path("cache").glob("new-*"))
        ]

    def note(self, kind, name, outcome, problem=""):
        """Count an outcome; a problem is one that must not be."""
        self.counts[kind, name, outcome] += 1
        if problem:
            self.faults.append(f"{kind} {name} ({outcome}): {problem}")
            print("FAULT", self.faults[-1], flush=True)

    def verdict(self, name, code, said, allowed):
        """Return what is wrong with a run that ended by itself."""
        if code not in allowed:
            return f"exit code {code}: {said[-2000:]}"
        if "Traceback" in said or "Exception ignored" in said:
            return f"a stack trace: {said[-2000:]}"
        if code == 1 and said and sum(line.startswith("Error: ") for line in said.splitlines()) != 1:
            return f"not one line of error: {said[-500:]}"
        return ""

    def kills(self, name, count):
        """Kill a command at random moments; outputs are whole or missing, and a resumed training ends the same."""
        command, resumes = COMMANDS[name], "--resume" in COMMANDS[name]
        done = 0
        while done < count:
            self.clear()
            for _ in range(8):
                code, said, _ = self.run(command, after=self.random.uniform(0, 1.1 * self.seconds[name]))
                done += 1
                found = None if name == "predict" else self.output()
                problem = "" if found in (None, b"", self.whole[name]) else "a partial output"
                if code not in (0, -signal.SIGKILL):
                    problem = self.verdict(name, code, said, (0,))
                self.note("kill", name, "finished" if code == 0 else "killed", problem)
                if code == 0 or not resumes:
                    break
            code, said, _ = self.run(command)
            problem = self.verdict(name, code, said, (0,))
            if not problem and self.output() != self.whole[name]:
                problem = "another output than that of an uninterrupted run"
            self.note("after kills", name, "same output", problem or "; ".join(self.leftovers()))

    def signals(self, name, count):
        """Interrupt a command at random moments: exit code 130, nothing left, and a resumed training ends the same."""
        for _ in range(count):
            self.clear()
            number = self.random.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
            code, said, _ = self.run(
                COMMANDS[name], after=self.random.uniform(0.05, 1.1 * self.seconds[name]), number=number
            )
            early = code == -number  # before the command has taken over the signal
            problem = "" if early else self.verdict(name, code, said, (0, 130))
            self.note("signal", name, "early" if early else f"exit {code}", problem or "; ".join(self.leftovers()))
        code, said, _ = self.run(COMMANDS[name])
        if self.output() != self.whole[name]:
            self.note("signal", name, "resumed", f"another output than that of an uninterrupted run: {said[-300:]}")

    def broken_files(self, name, most):
        """Let the calls on the output's folder fail, from the first, the second ... on, until none is left to fail."""
        for mode in FAULTS:
            for after in range(most):
                self.clear()
                code, said, _ = self.run(
                    COMMANDS[name], TORTURE_MODE=mode, TORTURE_AFTER=str(after), TORTURE_FOLDER=str(self.folder)
                )
                harmless = mode in ("short", "interrupted", "short-read")
                problem = self.verdict(name, code, said, (0,) if harmless else (0, 1))
                found = None if name == "predict" else self.output()
                if not problem and found not in (None, b"", self.whole[name]):
                    problem = "a partial output"
                if not problem and code == 0 and name != "predict" and found != self.whole[name]:
                    problem = "no output, but exit code 0"
                self.note(mode, name, f"exit {code}", problem or "; ".join(self.leftovers()))
                if code == 0:
                    break

    def changing_inputs(self, name, count):
        """Truncate, extend or replace the input while a command reads it."""
        command = COMMANDS[name]
        source = next(word for word in command.split() if word in self.inputs)
        content = self.inputs[source]

        def change(child):
            time.sleep(self.random.uniform(0, 0.8 * self.seconds[name]))
            kind = self.random.choice(["cut", "longer", "other"])
            if kind == "cut":
                os.truncate(source, len(content) // 3)
            elif kind == "longer":
                with open(source, "a") as file:
                    file.write("\n" + content)
            else:
                Path("new").write_text(content[: len(content) // 2])
                os.replace("new", source)

        for _ in range(count):
            self.clear()
            shutil.rmtree("cache", ignore_errors=True)
            code, said, _ = self.run(command, change=change)
            self.note(
                "changing input", name, f"exit {code}",
                self.verdict(name, code, said, (0, 1)) or "; ".join(self.leftovers()),
            )  # fmt: skip
            Path(source).write_text(content)
        shutil.rmtree("cache", ignore_errors=True)

    def closed_streams(self, name):
        """Run a command in a shell with closed, full and broken streams."""
        for stream in STREAMS:
            self.clear()
            words = COMMANDS[name].split()
            code = f"import sys; sys.path.insert(0, {str(HERE.parent)!r}); from cli import main; "
            code += f"main.{words[0].replace('-', '_')}(prog_name={words[0]!r})"
            line = f'{sys.executable} -P -c "{code}" {" ".join(words[1:])} {stream}; exit ${{PIPESTATUS[0]}}'
            found = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
            allowed = (1,) if name == "predict" and stream == "> /dev/full" else (0,)
            problem = self.verdict(name, found.returncode, found.stderr, allowed)
            if not problem and name != "predict" and self.output() != self.whole[name]:
                problem = "another output"
            self.note("streams", name, f"exit {found.returncode}", problem)


def with_faults():
    """Start again with the library of faults, if it can be compiled."""
    if "TORTURE" in os.environ or sys.platform != "linux" or shutil.which("gcc") is None:
        return
    library = Path(tempfile.mkdtemp(prefix="torture-")) / "torture.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "torture.c", "-ldl"], check=True)
    os.environ |= {"LD_PRELOAD": str(library), "TORTURE": "1"}
    os.execv(sys.executable, [sys.executable, *sys.argv])


def run():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="for each command")
    parser.add_argument("--signals", type=int, default=30, help="for each command")
    parser.add_argument("--faults", type=int, default=25, help="calls of each kind that fail, for each command")
    parser.add_argument("--changes", type=int, default=15, help="of the input, for each command")
    parser.add_argument("--only", choices=COMMANDS, action="append")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with_faults()
    folder = tempfile.mkdtemp(prefix="torture-")  # not TemporaryDirectory, which a fork would remove at its end
    try:
        torture = Torture(folder, arguments.seed)
        torture.prepare()
        for name in arguments.only or COMMANDS:
            began = time.monotonic()
            torture.kills(name, arguments.kills)
            torture.signals(name, arguments.signals)
            if "LD_PRELOAD" in os.environ:
                torture.broken_files(name, arguments.faults)
            torture.changing_inputs(name, arguments.changes)
            torture.closed_streams(name)
            found = [f"{kind}, {end}: {count}" for (kind, of, end), count in torture.counts.items() if of == name]
            print(f"{name}: {time.monotonic() - began:.0f} s; {'; '.join(found)}", flush=True)
    finally:
        os.chdir("/")
        shutil.rmtree(folder)
    totals = collections.Counter()
    for (kind, _, outcome), count in torture.counts.items():
        totals[kind, outcome] += count
    for (kind, outcome), count in sorted(totals.items()):
        print(f"{kind:16}{outcome:14}{count:6}")
    print(f"{sum(totals.values())} runs, {len(torture.faults)} faults")
    with contextlib.suppress(KeyError):
        shutil.rmtree(Path(os.environ["LD_PRELOAD"]).parent, ignore_errors=True)
    sys.exit(bool(torture.faults))


if __name__ == "__main__":
    run()
