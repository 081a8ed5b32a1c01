#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records what GRUB 0.97 makes of menus: for each DIRECTORY/NAME.lst writes NAME.expected, which the test of our
reader is compared with (tests/grubcfg/legacy_menu_test.cc).

  record_legacy.py GRUB DIRECTORY [--random COUNT] [--seed N]

GRUB is the grub shell of Debian's package grub-legacy, a 32-bit program (package libc6-i386):
  apt-get download grub-legacy && dpkg -x grub-legacy_*.deb unpacked     # unpacked/usr/sbin/grub
--random first writes that many random menus.

The menus lie in /boot/grub/menu.lst of (hd0,0), beside a file `default` with the number 2; the files /vmlinuz,
/boot/vmlinuz (Linux images), /xen (a Multiboot kernel) and /initrd are there, and nothing else. A menu must have
`timeout 0`: only then the shell boots without a key.
"""
import argparse, os, pathlib, pty, random, re, select, shutil, signal, struct, subprocess, tempfile, time

STOPS = (b'Press any key to continue', b'grub> ', b'Highlighted entry')
SECONDS = 10


def linux_image():
    image = bytearray(8192)
    image[0x1f1] = 4                                    # sectors of setup code
    image[0x1fe:0x200] = b'\x55\xaa'
    image[0x202:0x206] = b'HdrS'
    struct.pack_into('<H', image, 0x206, 0x0203)
    image[0x211] = 1                                    # loaded high
    return bytes(image)


def multiboot_image():
    image, flags = bytearray(8192), 0x10000             # with load addresses
    struct.pack_into('<8I', image, 0, 0x1badb002, flags, -(0x1badb002 + flags) & 0xffffffff, 0x100000, 0x100000,
                     0x102000, 0x102000, 0x100020)
    return bytes(image)


FILES = {'vmlinuz': linux_image(), 'boot/vmlinuz': linux_image(), 'xen': multiboot_image(), 'initrd': b'i' * 2000,
         'boot/grub/default': b'2\n#\n#\n#\n#\n#\n'}


def make_disk(work, menu):
    tree, image = os.path.join(work, 'tree'), os.path.join(work, 'disk.img')
    shutil.rmtree(tree, ignore_errors=True)
    for name, contents in [*FILES.items(), ('boot/grub/menu.lst', menu)]:
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(contents)
    with open(image, 'wb') as file:
        file.truncate(10 << 20)
    quiet = {'check': True, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
    subprocess.run(['sfdisk', '-q', image], input=b'label: dos\n2048,16384,83\n', **quiet)
    subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext2', '-I', '128', '-O', 'none', '-E', 'offset=1048576', '-d', tree,
                    image, '8M'], **quiet)
    with open(os.path.join(work, 'map'), 'w', encoding='ascii') as file:
        file.write('(hd0) %s\n' % image)


def run(grub, work):
    child, terminal = pty.fork()
    if child == 0:
        try:
            os.environ.update(TERM='dumb')
            os.execv(grub, ['grub', '--no-floppy', '--no-pager', '--no-curses', '--boot-drive=0x80',
                            '--install-partition=0x00ffff', '--device-map=' + os.path.join(work, 'map'),
                            '--config-file=/boot/grub/menu.lst'])
        finally:
            os._exit(127)
    output, silent, deadline = bytearray(), 0, time.monotonic() + SECONDS
    while silent < 15 and time.monotonic() < deadline and not any(stop in output for stop in STOPS):
        if not select.select([terminal], [], [], 0.1)[0]:
            silent += 1                                 # it says nothing more when it would boot
            continue
        silent = 0
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:
            break
        if not piece:
            break
        output += piece
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(child, 0)
    os.close(terminal)
    return output.decode('latin-1').replace('\r', '')


def summary(output):
    """The titles, then each entry that was tried, and how it ended."""
    lines, tried = [], None
    for line in output.split('\n'):
        entry = re.match(r' ?\d+: (.*)$', line)
        booting = re.match(r"  Booting '(.*)'$", line)
        if booting:
            tried = [booting[1].rstrip(' '), 'boots']
            lines.append(tried)
        elif line.startswith('Error 28: '):
            break                                       # too little memory for an initrd: GRUB itself has more
        elif tried and re.match(r'Error \d+: ', line):
            tried[1] = 'fails'
        elif tried is None and entry:
            lines.append([entry[1].rstrip(' '), 'entry'])
    return ''.join('%s: %s\n' % (kind, title) for title, kind in lines)


class Generator:
    """Random menus whose entries boot, or fail, for reasons that a disk without other partitions has."""

    NUMBERS = ('0', '1', '2', '3', '5', '9', '0x1', '01', 'saved', 'x', '', '-1', '1x', '99999999999')
    JUNK = ('# comment', '   # comment', '#\\', '# long \\', '', '   ', 'nosuch command', '\tcolor white/blue', 'foo=bar', '\\',
            'Default 1', 'root (hd0,0)', 'kernel /vmlinuz')

    def __init__(self, generator):
        self.random = generator

    def separator(self):
        return self.random.choice((' ', ' ', ' ', '=', '\t', '  ', ' = ', '==', ' \t', ''))

    def command(self, name, argument):
        end = self.random.choice(('\n',) * 8 + ('  \n', '\r\n', '\t\n', '\\\n\n'))
        return self.random.choice(('', '', '', ' ', '\t')) + name + self.separator() + argument + end

    def header(self):
        pick = self.random
        lines = []
        for _ in range(pick.randrange(5)):
            kind = pick.randrange(4)
            if kind == 0:
                lines.append(self.command('default', pick.choice(self.NUMBERS)))
            elif kind == 1:
                count = pick.randrange(1, 5)
                lines.append(self.command('fallback', pick.choice((' ', '  ', ', ')).join(
                    pick.choice(('0', '1', '2', '3', '4', '7', '0x2', 'x')) for _ in range(count))))
            else:
                lines.append(pick.choice(self.JUNK) + '\n')
        return lines

    def entry(self, number):
        pick = self.random
        lines = [self.command('title', pick.choice(('E%d', 'E %d', 'E%d=x', '"E%d"', '=E%d', 'E%d \\x')) % number)]
        for _ in range(pick.randrange(4)):
            kind = pick.randrange(6)
            if kind == 0:
                lines.append(pick.choice(('root (hd0,0)\n', 'root\n', 'root=(hd0,0)\n', 'rootnoverify (hd0,0) 1\n',
                                          'root (hd0,0)/boot\n', 'root (0x80,0)\n', 'root (,0)\n')))
            elif kind == 1:
                lines.append(pick.choice(self.JUNK[:9]) + '\n')
            elif kind == 2:
                lines.append(pick.choice(('makeactive\n', 'lock\n', 'boot\n', 'map (hd0) (hd1)\n',
                                          'find /vmlinuz\n', 'find /nosuch\n')))
            else:
                options = pick.choice(('', '', '', '--no-mem-option ', '--type=x '))
                name = pick.choice(('/vmlinuz', '--type=biglinux  /vmlinuz', '/boot/vmlinuz', '(hd0,0)/vmlinuz', '/nosuch', '//vmlinuz', 'vmlinuz',
                                    '(hd0,0)vmlinuz', '/boot/../vmlinuz', '"/vmlinuz"', '/vmlinuz\\ x', '/xen'))
                lines.append(self.command('kernel', options + name + pick.choice(('', ' a=b c', ' \\\n  d'))))
        if pick.randrange(4) == 0:
            lines.append(self.command(pick.choice(('initrd', 'module', 'modulenounzip')),
                                      pick.choice(('/initrd', '/initrd', '(hd0,0)/initrd x', '/nosuch', 'initrd'))))
        return lines

    def menu(self):
        lines = ['timeout 0\n'] + self.header()
        for number in range(self.random.randrange(1, 6)):
            lines += self.entry(number)
        return ''.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('grub')
    parser.add_argument('directory', type=pathlib.Path)
    parser.add_argument('--random', type=int, default=0)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    generator = Generator(random.Random(options.seed))
    for number in range(options.random):
        with open(options.directory / ('random%03d.lst' % number), 'w', encoding='ascii', newline='') as file:
            file.write(generator.menu())
    with tempfile.TemporaryDirectory(prefix='record_legacy.') as work:
        for path in sorted(options.directory.glob('*.lst')):
            make_disk(work, path.read_bytes())
            path.with_suffix('.expected').write_text(summary(run(os.path.abspath(options.grub), work)), encoding='latin-1')


main()
