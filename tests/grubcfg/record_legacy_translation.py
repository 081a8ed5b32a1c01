#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records what GRUB 2 (grub-emu) makes of menus of GRUB Legacy: for each DIRECTORY/NAME.lst writes NAME.expected,
which our translation is compared with (tests/grubcfg/legacy_translation_test.cc).

  record_legacy_translation.py DIRECTORY [--random COUNT] [--seed N]

--random first writes that many random menus. The disk is (hd0), without partitions, with the menu as /m.lst and the
files of FILES; the script is SCRIPT. What it and the entries print is kept, and which entries were tried.
"""
import argparse, os, pathlib, random, re, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grub_emu

FILES = {'boot/grub/grub.cfg': '', 'f/a': 'contents of a\n', "f/b c": 'contents of b c\n',
         'other.lst': 'timeout 0\ndefault 1\ntitle Other 0\ncat /f/a\ntitle Other 1\nroot (hd0)\nroot\n'}
SCRIPT = b'''legacy_source /m.lst
echo "@@ default=[$default] timeout=[$timeout] fallback=[$fallback] root=[$root] superusers=[$superusers]"
echo "@@ hdbias=[$legacy_hdbias] colors=[$color_normal|$color_highlight] pager=[$pager]"
set timeout=0
'''
TRIED = re.compile(r" +(?:Booting|Falling back to) `(.*)'$")


def summary(text):
    lines = []
    for line in grub_emu.ERROR.sub('', text).split('\n'):
        if line.startswith(('  Failed to boot', 'GNU GRUB')):
            break
        tried = TRIED.match(line)
        if tried:
            lines.append('tried: ' + tried[1])
        elif line.strip() and not line.startswith(('Press any key', 'error: ', 'Enter ')):
            lines.append(line.rstrip())
    return ''.join(line + '\n' for line in lines)


class Generator:
    WORDS = ('0', '1', '2', '1 2', '2 0 1', 'saved', '0x10', '0x', '010', '08', '-1', '1x', 'E 1', "it's", '$root', '"1"',
             "a'b c", '\\1', '')
    DEVICES = ('(hd0)', '(hd0,0)', '(hd0,1)', '(hd0,0x3)', '(hd0,2,a)', '(hd0,010)', '(nd)', '(fd0)', 'hd0', '(hd0',
               '(hd0,0)/x', '(hd0,x)', '(hd0,)', "(hd0,0)'q", '')

    def __init__(self, generator):
        self.random = generator

    def command(self, name, argument):
        pick = self.random.choice
        return (pick(('', '', '', ' ', '\t')) + name + pick((' ', ' ', ' ', '=', '\t', '  ', ' = ')) + argument
                + pick(('\n',) * 6 + (' \n', '  \n', '\r\n')))

    def line(self, in_entry):
        pick = self.random.choice
        kind = self.random.randrange(14)
        if kind < 3:
            # GRUB reads $fallback when an entry has failed, so that an entry may set it, which ours has not.
            return self.command(pick(('default', 'default' if in_entry else 'fallback', 'timeout')), pick(self.WORDS))
        if kind < 5:
            return self.command(pick(('root', 'root', 'rootnoverify')), pick(self.DEVICES) + pick(('', '', ' 1', ' x')))
        if kind == 5:
            return 'root\n'
        if kind == 6:
            return self.command('cat', pick(('/f/a', '/f/b c', '/nosuch', '(hd0)/f/a', '(hd0)/f/b c')))
        if kind == 7:
            return self.command('uuid', pick(('0b1c2d3e-4f50-6172-8394-a5b6c7d8e9fa', '1-2')))
        if kind == 8:
            return self.command('color', pick(('white/blue', 'white/blue red/black', 'white', '')))
        if kind == 9:
            return self.command('pager', pick(('on', 'off', 'x')))
        if kind == 10:
            return pick(('# comment\n', '  # it\'s one\n', '\n', '   \n', 'nosuch command\n', "nosuch it's\n", 'makeactive\n',
                         'Default 1\n', 'quiet\n'))
        if kind == 11 and not in_entry:
            return self.command('password', pick(('secret', '--md5 $1$x$y', '--md5', 'secret /f/a', '--x')))
        if kind == 12 and in_entry:
            return pick(('lock\n', 'password secret\n', 'configfile /other.lst\n', 'configfile (hd0)/other.lst\n',
                         'savedefault\n', 'kernel /nosuch a  b \n', 'kernel --type=linux (hd0,0)/x\n', 'initrd /i\n',
                         'find /f/a\n', 'boot\n'))
        # What an entry changes another sees that GRUB tries after it; ours are each run from the same state.
        return pick(('color\n', '\n' if in_entry else 'pager\n'))

    def menu(self):
        pick = self.random
        lines = [self.line(False) for _ in range(pick.randrange(6))]
        for number in range(pick.randrange(1, 5)):
            lines.append(self.command('title', pick.choice(('E%d', 'E %d', 'E%d=x', '"E%d"', "it's E%d", '$root %d')) % number))
            # GRUB 2 crashes on an entry without any line.
            lines.append('# entry %d\n' % number)
            lines += [self.line(True) for _ in range(pick.randrange(5))]
        return ''.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('directory', type=pathlib.Path)
    parser.add_argument('--random', type=int, default=0)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    generator = Generator(random.Random(options.seed))
    for number in range(options.random):
        with open(options.directory / ('random%03d.lst' % number), 'w', encoding='ascii', newline='') as file:
            file.write(generator.menu())
    with tempfile.TemporaryDirectory(prefix='record_legacy.') as work:
        tree, image = os.path.join(work, 'tree'), os.path.join(work, 'disk.img')
        for path in sorted(options.directory.glob('*.lst')):
            for name, contents in [*FILES.items(), ('m.lst', path.read_text(encoding='ascii'))]:
                os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
                with open(os.path.join(tree, name), 'w', encoding='ascii', newline='') as file:
                    file.write(contents)
            grub_emu.make_disk(tree, image)
            text, finished = grub_emu.run(work, image, SCRIPT, 12)
            if not finished:
                print('not recorded, as grub-emu does not end on it: %s' % path.name)
                continue
            path.with_suffix('.expected').write_text(summary(text), encoding='utf-8')


main()
