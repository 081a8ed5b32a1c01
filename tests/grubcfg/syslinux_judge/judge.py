#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asks syslinux itself, in qemu, what it makes of the configurations in tests/data/grubcfg/syslinux.

  judge.py DIRECTORY [NAME...]      writes NAME.expected.json beside each NAME.case

A case holds files, each behind a line "=== PATH" (text), "=== PATH kernel", "=== PATH xen" or "=== PATH initrd"; the
first is the configuration. They are put onto a FAT file system that syslinux is installed on. Recorded is
  unattended  what boots when nobody touches a key, and after how many seconds; null: nothing
  labels      what boots when a LABEL is typed at the prompt
  menu        what menu.c32 shows: [title, what boots when it is chosen] or [title, [submenu]]
Needs qemu-system-x86 syslinux syslinux-common mtools dosfstools binutils. The expectations are recorded, so the tests
need none of these.
"""
import json, os, re, select, shutil, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = '/usr/lib/syslinux/modules/bios'
PROGRAMS = ('menu.c32 vesamenu.c32 libutil.c32 libcom32.c32 mboot.c32 config.c32 ifcpu64.c32 whichsys.c32 linux.c32 '
            'reboot.c32 poweroff.c32 chain.c32').split()
NAME = b'NAME' * 16
WAITING = re.compile(rb'boot: |\[Tab\]|Automatic boot')
VOLUME = 'DA1A0B2E'
LONG_WAIT = 9       # seconds: more than any TIMEOUT of the cases
SHORT_WAIT = 2.5    # for a boot that a key began
SLOW_MACHINE = 1.5  # seconds that a boot takes at most when it waits for nothing


def build(work):
    images = {}
    for name, linker in (('linux', ['-Ttext', '0', '--oformat', 'binary', '-e', '0']),
                         ('xen', ['-N', '-Ttext', '0x100000', '-e', '_start'])):
        thing = os.path.join(work, name)
        subprocess.run(['as', '--32', '-I', HERE, '-o', thing + '.o', os.path.join(HERE, name + '.S')], check=True)
        subprocess.run(['ld', '-m', 'elf_i386', *linker, '-o', thing, thing + '.o'], check=True)
        with open(thing, 'rb') as file:
            images[name] = file.read()
    return images


def read_case(path):
    """[(path, kind, text)]"""
    files = []
    with open(path, encoding='utf-8', newline='') as file:
        for line in file:
            if line.startswith('=== '):
                words = line.split()
                files.append((words[1], words[2] if len(words) > 2 else 'text', ''))
            elif files:
                files[-1] = (*files[-1][:2], files[-1][2] + line)
    return files


class Machine:
    """A FAT image with syslinux on it, and qemu runs of it."""

    def __init__(self, work, images, files):
        self.image = os.path.join(work, 'disk.img')
        self.work = work
        with open(self.image, 'wb') as file:
            file.truncate(24 << 20)
        self.run('mkfs.vfat', '-F', '16', '-i', VOLUME, self.image)
        self.made = set()
        directory = os.path.dirname(files[0][0])
        for name in PROGRAMS:
            with open(os.path.join(MODULES, name), 'rb') as file:
                self.put(directory + '/' + name, file.read())
        for path, kind, text in files:
            name = path.encode()
            contents = {'text': text.encode(), 'initrd': b'[' + name + b']',
                        'kernel': images['linux'].replace(NAME, name.ljust(64, b'\0')),
                        'xen': images['xen'].replace(NAME, name.ljust(64, b'\0'))}[kind]
            self.put(path, contents)
        self.run('syslinux', '--install', '--directory', directory, self.image)

    @staticmethod
    def run(*command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def put(self, path, contents):
        parts = path.strip('/').split('/')
        for count in range(1, len(parts)):
            directory = '/'.join(parts[:count])
            if directory not in self.made:
                self.made.add(directory)
                self.run('mmd', '-i', self.image, '::/' + directory)
        local = os.path.join(self.work, 'file')
        with open(local, 'wb') as file:
            file.write(contents)
        self.run('mcopy', '-o', '-i', self.image, local, '::' + path)

    def boot(self, conversation=(), wait=LONG_WAIT):
        """(output, seconds): `conversation` is [(what to wait for, what to type)]; a screen counts as there when
        nothing more comes for a while. Without one, the BIOS copies the screen to the serial port, so that its
        beginning is seen whatever the configuration does."""
        qemu = subprocess.Popen(
            ['qemu-system-x86_64', '-accel', 'tcg', '-m', '64', *(['-display', 'none'] if conversation else
             ['-nographic']), '-nodefaults', '-no-reboot', '-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0x501,iosize=1', '-drive', 'format=raw,file=' + self.image],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        output, begin, steps, deadline = b'', time.monotonic(), list(conversation), None
        started = None
        while b'@@END' not in output:
            now = time.monotonic()
            if now - begin > 30 or (not steps and deadline is not None and now > deadline):
                break
            ready = select.select([qemu.stdout], [], [], 0.3)[0]
            if ready:
                piece = os.read(qemu.stdout.fileno(), 65536)
                if not piece:
                    break
                output += piece
                if started is None and b'SYSLINUX' in output:
                    started = time.monotonic()
                # On a busy machine a boot is slow: time counts from where syslinux itself waits.
                if WAITING.search(output):
                    deadline = time.monotonic() + wait
            elif steps and steps[0][0] in output:
                qemu.stdin.write(steps.pop(0)[1])
                qemu.stdin.flush()
                deadline = time.monotonic() + wait
        seconds = time.monotonic() - (started or begin)
        qemu.kill()
        qemu.communicate()
        return output, seconds


def booted(output):
    text = output.decode('latin-1')
    found = re.search(r'@@KERNEL (.*?)\n@@CMDLINE (.*?)\n@@(INITRD|MODULE) ?(.*)\n@@END', text, re.DOTALL)
    if not found:
        found = re.search(r'@@KERNEL (.*?)\n@@CMDLINE (.*?)()()\n@@END', text, re.DOTALL)
    if not found:
        return None
    kernel, command_line, kind, rest = found.groups()
    answer = {'kernel': kernel, 'command_line': command_line}
    if kind == 'MODULE':
        answer['modules'] = rest.split('\n@@MODULE ')
    else:
        answer['initrds'] = re.findall(r'\[(.*?)\]', rest)
    return answer


class Screen:
    """As much of a terminal as menu.c32 asks of one."""

    def __init__(self, output):
        self.rows = {}
        row, column, graphics = 1, 1, False
        for match in re.finditer(rb'\x1b\[([0-9;?]*)([A-Za-z])|\x1b[()%#].|\x1b.|[\x00-\xff]', output):
            piece = match.group(0)
            if match.group(2) == b'H':
                numbers = [int(n) for n in match.group(1).split(b';') if n] + [1, 1]
                row, column = numbers[0], numbers[1]
            elif match.group(2) == b'J':
                self.rows = {}
            elif piece in (b'\x0e', b'\x0f'):
                graphics = piece == b'\x0e'
            elif piece == b'\n':
                row += 1
            elif piece == b'\r':
                column = 1
            elif len(piece) == 1 and piece >= b' ':
                self.rows.setdefault(row, {})[column] = '\0' if graphics else piece.decode('latin-1')
                column += 1

    def titles(self):
        """Those between the menu's lines, below its title."""
        found = []
        for row in sorted(self.rows):
            cells = self.rows[row]
            text = ''.join(cells.get(c, ' ') for c in range(1, max(cells) + 1))
            match = re.match(r' *\0(.*?)[\0\x7f]', text)
            if match and match.group(1).strip('\0'):
                found.append(match.group(1).strip())
        return found[1:]


def judge(work, images, path):
    files = read_case(path)
    machine = Machine(work, images, files)
    output, seconds = machine.boot()
    unattended = booted(output)
    if unattended:
        unattended['seconds'] = 0 if seconds < SLOW_MACHINE else int(seconds)
    answer = {'unattended': unattended, 'labels': {}, 'menu': None}
    main, _, text = files[0]
    serial = text + '\nSERIAL 0 115200\n'
    if re.search(r'(?i)menu\.c32|^ *ui', text, re.MULTILINE):
        machine.put(main, serial.encode())
        answer['menu'] = explore(machine, b'')
    else:
        machine.put(main, (serial + 'PROMPT 1\nNOESCAPE 0\nTIMEOUT 0\nTOTALTIMEOUT 0\n').encode())
        every = '\n'.join(t for _, kind, t in files if kind == 'text')
        for label in re.findall(r'(?im)^\s*label\s+(\S+)', every):
            if label not in answer['labels']:
                answer['labels'][label] = booted(machine.boot([(b'boot:', label.encode() + b'\r')], SHORT_WAIT)[0])
    return answer


HOME, DOWN, ENTER = b'\x01', b'\x0e', b'\r'


def explore(machine, keys, depth=0):
    """[[title, what it boots or a submenu]] of the menu that `keys` lead to."""
    steps = [(b'SYSLINUX', b' ')] + [(b'SYSLINUX', keys)] * bool(keys)
    output = machine.boot(steps, SHORT_WAIT)[0]
    shown = [(title.rstrip('<>').rstrip(), title.endswith('>')) for title in Screen(output).titles() if title]
    menu, position = [], 0
    for title, is_submenu in shown:
        if title.startswith('(heading)'):
            continue
        way = keys + HOME + DOWN * position + ENTER
        position += 1
        if is_submenu and depth < 3:
            menu.append([title, explore(machine, way, depth + 1)])
        else:
            menu.append([title, booted(machine.boot([(b'SYSLINUX', b' '), (b'SYSLINUX', way)], SHORT_WAIT)[0])])
    return menu


def main():
    directory = sys.argv[1]
    names = sys.argv[2:] or sorted(n[:-5] for n in os.listdir(directory) if n.endswith('.case'))
    missing = [t for t in ('qemu-system-x86_64', 'syslinux', 'mcopy', 'mkfs.vfat', 'as', 'ld') if not shutil.which(t)]
    if missing or not os.path.isdir(MODULES):
        sys.exit('judge.py needs ' + ', '.join(missing or [MODULES]))
    with tempfile.TemporaryDirectory() as work:
        images = build(work)
        for name in names:
            answer = judge(work, images, os.path.join(directory, name + '.case'))
            with open(os.path.join(directory, name + '.expected.json'), 'w', encoding='utf-8') as file:
                json.dump(answer, file, indent=1, ensure_ascii=False)
                file.write('\n')
            print(name, 'unattended:', answer['unattended'])


if __name__ == '__main__':
    main()
