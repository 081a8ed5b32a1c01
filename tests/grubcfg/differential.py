#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares our evaluation of GRUB's language with GRUB's own, on random scripts.

Each script is run by grub-emu and by `pvhgrub --eval`, many in one process, and must print the same and leave
the same variables. Menus are run one by one: default and fallback entries must be tried in the same order.

  differential.py PVHGRUB [--seed N] [--count N] [--menus N] [--keep-going] [--file SCRIPT]
"""
import argparse, concurrent.futures, os, queue, random, re, shutil, subprocess, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grub_emu
from script_generator import MenuGenerator, ScriptGenerator, VARIABLES

SKIPPED = 77
BATCH = 40
WORKERS = 4
# What only grub-emu sets and has: scripts that print it are compared without it, or not at all.
OWN_VARIABLE = re.compile(r'^(DAY|HOUR|MINUTE|MONTH|SECOND|WEEKDAY|YEAR|check_signatures|cmdpath|enable_progress_indicator'
                          r'|grub_cpu|grub_platform|net_default_\w+|pxe_default_server)=.*\n', re.MULTILINE)
OWN_DEVICE = re.compile(r'\((proc|host)|^Usage: ', re.MULTILINE)
ENTRY = re.compile(r"error: unknown argument `--(ENTRY .*)'\.")

WRAPPER = 'true\n%s\necho "@@STATUS $?"\n' + ''.join('echo "@@%s=[$%s]"\n' % (v, v) for v in VARIABLES)
CALLS = ('source /s/%d.cfg', 'function wrap { source /s/%d.cfg; echo "@@ARGS $#:$*"; }\nwrap one "two  three" "" 4')


class Comparison:
    def __init__(self, pvhgrub, work):
        self.pvhgrub, self.work = pvhgrub, work
        self.image = os.path.join(work, 'disk.img')

    def prepare(self, scripts):
        tree = os.path.join(self.work, 'tree')
        shutil.rmtree(tree, ignore_errors=True)
        for directory in ('s', 'w', 'boot/grub', 'f/dir', 'f/sub'):
            os.makedirs(os.path.join(tree, directory))
        files = {'boot/grub/grub.cfg': '', 'f/a': 'a', 'f/b.txt': 'b', 'f/empty': '', 'f/sub/b1': '1', 'f/sub/a2': '2',
                 'f/sp ace': 's'}
        for number, script in scripts.items():
            files['s/%d.cfg' % number] = script
            files['w/%d.cfg' % number] = WRAPPER % (CALLS[len(script) % 2] % number)
        for name, text in files.items():
            with open(os.path.join(tree, name), 'w', encoding='utf-8', newline='') as file:
                file.write(text)
        grub_emu.make_disk(tree, self.image)

    def ours(self, numbers):
        master = os.path.join(self.work, 'master.cfg')
        with open(master, 'w') as file:
            file.write(''.join('echo "@@SCRIPT %d"\nconfigfile /w/%d.cfg\n' % (n, n) for n in numbers))
        done = subprocess.run([self.pvhgrub, '--eval=' + master, self.image], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return done.stdout.decode('utf-8', 'surrogateescape').replace('\r', ''), done.returncode in (0, 1)

    def theirs(self, numbers):
        script = ''.join('echo "@@SCRIPT %d"\nconfigfile /w/%d.cfg\n' % (n, n) for n in numbers) + 'exit\n'
        text, finished = grub_emu.run(self.work, self.image, script.encode(), 8)
        return grub_emu.ERROR.sub('', text), finished

    @staticmethod
    def sections(text):
        """{script number: what it printed}; the last one may be cut short."""
        found = {}
        for section in OWN_VARIABLE.sub('', text).split('@@SCRIPT ')[1:]:
            number, _, output = section.partition('\n')
            found[int(number)] = '\n'.join(line.expandtabs(8) for line in output.split('\n'))
        return found

    def all_answers(self, run, numbers):
        """What each script prints; None where the program did not end by itself with it."""
        answers, rest = {}, list(numbers)
        while rest:
            text, finished = run(rest)
            found = self.sections(text)
            answers.update(found)
            if finished and len(found) == len(rest):
                break
            last = max(found, default=rest[0])
            answers[last] = None
            rest = [n for n in rest if n > last]
        return answers

    def differing(self, scripts):
        """{number: (ours, theirs)} for those that differ; those that even GRUB does not finish are left out."""
        self.prepare(scripts)
        theirs = self.all_answers(self.theirs, scripts)
        numbers = [n for n in scripts if theirs.get(n) is not None and not OWN_DEVICE.search(theirs[n])]
        ours = self.all_answers(self.ours, numbers)
        return {n: (ours.get(n), theirs[n]) for n in numbers if ours.get(n) != theirs[n]}, len(scripts) - len(numbers)

    def script_differs(self, script):
        return bool(self.differing({0: script})[0])

    def menu_lines(self, script):
        """What the entries tell of themselves on both sides, as options that no command knows."""
        tree, path = os.path.join(self.work, 'menu-tree'), os.path.join(self.work, 'menu.cfg')
        os.makedirs(os.path.join(tree, 'boot/grub'), exist_ok=True)
        if not os.path.exists(self.image):
            grub_emu.make_disk(tree, self.image)
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(script)
        theirs, finished = grub_emu.run(self.work, self.image, script.encode(), 8)
        done = subprocess.run([self.pvhgrub, '--isconfig', '--quiet', '--output=-', path], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        ours = done.stdout.decode('utf-8', 'surrogateescape').replace('\r', '')
        ours, theirs = ENTRY.findall(ours), ENTRY.findall(theirs)
        # Where GRUB crashes, or falls back for ever, as far as both came.
        shared = max(len(ours), len(theirs)) if finished else min(len(ours), len(theirs))
        return ours[:shared], theirs[:shared], finished


def reduced(script, differs):
    """The script with all lines, then words, taken away that the difference does not need."""
    for splitter in ('\n', ' '):
        parts, size = script.split(splitter), max(1, len(script.split(splitter)) // 2)
        while size >= 1:
            start = 0
            while start < len(parts):
                fewer = parts[:start] + parts[start + size:]
                if fewer and differs(splitter.join(fewer)):
                    parts = fewer
                else:
                    start += size
            size //= 2
        script = splitter.join(parts)
    return script


def report(kind, script, ours, theirs):
    print('--- a %s differs:\n%s\n--- GRUB:\n%s\n--- ours:\n%s\n' % (kind, script, theirs, ours), flush=True)


def compare_scripts(comparison, options):
    generator = ScriptGenerator(random.Random(options.seed))
    differences = unfinished = 0
    for first in range(0, options.count, BATCH):
        scripts = {n: generator.script(n) for n in range(first, min(first + BATCH, options.count))}
        differing, given_up = comparison.differing(scripts)
        unfinished += given_up
        for number, (ours, theirs) in differing.items():
            differences += 1
            script = scripts[number]
            if comparison.script_differs(script):
                script = reduced(script, comparison.script_differs)
                ours, theirs = comparison.differing({0: script})[0][0]
            report('script', script, ours, theirs)
            if differences >= options.stop_after:
                return differences
    print('%d scripts compared, %d left out as GRUB itself does not end on them, %d differ'
          % (options.count - unfinished, unfinished, differences))
    return differences


def compare_menus(comparison, options):
    generator = MenuGenerator(random.Random(options.seed))
    scripts = [generator.menu() for _ in range(options.menus)]
    # GRUB waits between an entry that failed and the next: several at a time.
    workers = queue.SimpleQueue()
    for number in range(WORKERS):
        work = os.path.join(comparison.work, 'menus%d' % number)
        os.makedirs(work)
        workers.put(Comparison(comparison.pvhgrub, work))

    def lines(script):
        worker = workers.get()
        try:
            return worker.menu_lines(script)
        finally:
            workers.put(worker)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        answers = list(pool.map(lines, scripts))
    differing = [(script, ours, theirs) for script, (ours, theirs, _) in zip(scripts, answers) if ours != theirs]
    for script, ours, theirs in differing[:options.stop_after]:
        report('menu', script, '\n'.join(ours), '\n'.join(theirs))
    unfinished = sum(not finished for _, _, finished in answers)
    print('%d menus compared, of %d only the beginning as GRUB itself crashes or never ends on them, %d differ'
          % (len(scripts), unfinished, len(differing)))
    return len(differing)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pvhgrub')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=600, help='random scripts')
    parser.add_argument('--menus', type=int, default=60, help='random menus')
    parser.add_argument('--stop-after', type=int, default=10, help='differences')
    parser.add_argument('--file', help='compare this script only')
    options = parser.parse_args()
    if not grub_emu.available():
        print('skipped: no grub-emu and mke2fs here')
        return SKIPPED
    work = tempfile.mkdtemp(prefix='differential.')
    try:
        comparison = Comparison(os.path.abspath(options.pvhgrub), work)
        if options.file:
            with open(options.file, encoding='utf-8') as file:
                script = file.read()
            differing, _ = comparison.differing({0: script})
            for ours, theirs in differing.values():
                report('script', script, ours, theirs)
            return 1 if differing else 0
        return 1 if compare_scripts(comparison, options) + compare_menus(comparison, options) else 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


sys.exit(main())
