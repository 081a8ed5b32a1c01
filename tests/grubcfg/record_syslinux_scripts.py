#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records what GRUB 2.06 makes of the syslinux configurations in tests/data/grubcfg/syslinux_scripts.

  record_syslinux_scripts.py DIRECTORY [NAME...]     writes NAME.expected.json beside each NAME.case

A case holds files, each behind a line "=== PATH"; the first is the configuration. Recorded is
  script   what grub-syslinux2cfg translates it into, without the comments; null: it stops at an error
  source   what grub-emu's syslinux_source does: variables, and the loader commands that it runs at once
  entries  {id: the loader commands that grub-emu runs for the entry}
A loader command is [name, $root, argument...].
"""
import json, os, re, subprocess, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grub_emu
from syslinux_judge.judge import read_case

LOADERS = 'linux linux16 initrd initrd16 chainloader multiboot module drivemap'.split()
FUNCTIONS = ''.join('function %s { echo -n "@@DO|%s|$root"; for a in "$@"; do echo -n "|$a"; done; echo "|"; }\n'
                    % (name, name) for name in LOADERS)


def translate(root, main, options):
    directory = os.path.dirname(main)
    done = subprocess.run(['grub-syslinux2cfg', '-r', root, '-t', '/', '-c', root + directory, '-T', directory or '/',
                           *options, root + main], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        return None
    lines = done.stdout.decode('utf-8', 'surrogateescape').split('\n')
    return '\n'.join(line for line in lines if not line.lstrip().startswith('#'))


def commands(text):
    return [line.split('|')[1:-1] for line in text.split('\n') if line.startswith('@@DO|')]


def record(path, work):
    files = read_case(path)
    with open(path, encoding='utf-8') as file:
        options = re.findall(r' options: (.*)', file.readline())
    options = options[0].split() if options else []
    root = os.path.join(work, 'root')
    subprocess.run(['rm', '-rf', root], check=True)
    for name, _, text in files:
        os.makedirs(os.path.dirname(root + name), exist_ok=True)
        with open(root + name, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
    os.makedirs(root + '/boot/grub', exist_ok=True)
    image = os.path.join(work, 'disk.img')
    grub_emu.make_disk(root, image)
    main = files[0][0]
    script = translate(root, main, options)
    begin = FUNCTIONS + 'syslinux_source %s %s\n' % (' '.join(options), main)
    text, _ = grub_emu.run(work, image, (begin + 'echo "@@SET|$timeout|$default|"\nexit\n').encode())
    found = re.search(r'@@SET\|(.*?)\|(.*?)\|', text)
    answer = {'script': script, 'source': None, 'entries': {}}
    if found:
        answer['source'] = {'timeout': found.group(1), 'default': found.group(2), 'commands': commands(text)}
    for label in re.findall(r"^menuentry .* --id '(.*)' \{$", script or '', re.MULTILINE):
        label = label.replace("'\\''", "'")
        if label in answer['entries'] or not re.search(r'^menuentry', script, re.MULTILINE):
            continue
        chosen = begin + "set default='%s'\nset timeout=0\n" % label.replace('>', '>>').replace("'", "'\\''")
        run = commands(grub_emu.run(work, image, chosen.encode(), 4)[0])
        # The runs end where a menu is shown: what such an entry leads to is not seen.
        if run or 'syslinux_configfile' not in script:
            answer['entries'][label] = run
    return answer


def main():
    directory = sys.argv[1]
    names = sys.argv[2:] or sorted(n[:-5] for n in os.listdir(directory) if n.endswith('.case'))
    with tempfile.TemporaryDirectory() as work:
        for name in names:
            answer = record(os.path.join(directory, name + '.case'), work)
            with open(os.path.join(directory, name + '.expected.json'), 'w', encoding='utf-8') as file:
                json.dump(answer, file, indent=1, ensure_ascii=False)
                file.write('\n')
            print(name, 'entries:', len(answer['entries']))


if __name__ == '__main__':
    main()
