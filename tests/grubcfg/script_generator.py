# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random scripts in GRUB's language, from a seeded grammar, with syntax errors here and there."""

VARIABLES = ('a', 'b', 'c', 'sp', 'st', 'n', 'e', 'f1')
WORDS = ('x', 'foo', 'b1', 'a-b', '0', '1', '2', '10', '-n', '-e', '--', '-', '=', '==', ':', ',', '[', ']', '!', '~', '%',
         'x=y', 'a=1', 'a#b', '/f', '/f/b.txt', '/f/no', 'f', '(hd0)/f/a', 'if', 'then', 'fi', 'do', 'done', 'in', 'for',
         'function', 'case', 'else', '@', '^', '.', '+', '(', ')', '1x', '0x10', '010', '-1', '-5', '/f/dir/', '')
GLOBS = ('/f/*', '/f/?', '/f/*.txt', '/*/b*', '(hd0)/f/*', '(hd*)/f', '/f/[ab]', 'x*', '/f/s*', '/f/\\*', '/f/"*"',
         '/nosuch/*', '/f/*/', '/f/*/*1', '/s*b/*', '/f/*e', '/f//*', '/f/./*', '/f/../f/?')
ESCAPES = ('\\ ', '\\\\', '\\"', "\\'", '\\$', '\\n', '\\;', '\\{', '\\}', '\\#', 'b\\*', '\\?', '\\x41', '\\|', '\\&', '\\<')
BINARY = ('=', '==', '!=', '<', '<=', '>', '>=', '-eq', '-ge', '-gt', '-le', '-lt', '-ne', '-pgt', '-plt', '-nt', '-ot', '-nt-5')
UNARY = ('-n', '-z', '-e', '-f', '-d', '-s', '!', '-x')
NOISE = ('{', '}', '|', '||', '&', '&&', '$', ';', ';;', '<', '>', "'", '"', '\\', '\n', ' ', '#', '(', ')', '[[', ']]', '!',
         ' fi ', ' do ', ' done ', ' then ', ' } ', ' { ', ' if ', ' in ', ' elif ', ' else ', ' ;\n', '$?', '$*', '${', '=',
         ' function ', '$"', '\\\n', '"$@"')
REGEXPS = ('a', '(a)(b)?', '^(.*)-(.*)$', '[0-9]+', '(x|foo)', '.', '', '(', 'a{2}', '[[:alpha:]]*', '\\\\.', '^$', '(b)1')


class Base:
    def __init__(self, source):
        self.random = source

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, choices):
        return self.random.choice(choices)


class ScriptGenerator(Base):
    def script(self, number):
        self.number, self.functions, self.counters = number, 0, 0
        lines = ["sp=' p  q '; st='/f/*'; n=%d; a=%s; b=\n" % (self.random.randrange(12), self.pick(('1', "'u v'", 'foo')))]
        lines += [self.statement(3) + self.pick(('\n', '\n', ';\n', ' # comment\n', ' ; ', '\n\n'))
                  for _ in range(self.random.randint(2, 7))]
        text = ''.join(lines)
        while self.chance(18):
            text = self.mutated(text)
        return text

    def mutated(self, text):
        position = self.random.randrange(len(text))
        kind = self.random.randrange(4)
        if kind == 0:
            return text[:position] + text[position + self.random.randint(1, 4):]
        if kind == 1:
            return text[:position] + text[position:position + 9] + text[position:]
        return text[:position] + self.pick(NOISE) + text[position:]

    def variable(self):
        name = self.pick(VARIABLES + ('u', '?', '#', '*', '@', '1', '2', '3', '0', '10'))
        return '${%s}' % name if self.chance(35) else '$' + name

    def double_quoted(self):
        pieces = [self.pick((self.variable(), self.variable(), 'x', ' ', '  ', 'b*', '\\\\', '\\"', '\\$', '\\n', 'b\\*', "'", '#',
                             ';', '{', '}', '\\\n', '\n', '|', '?', '/f/*')) for _ in range(self.random.randrange(4))]
        return '"%s"' % ''.join(pieces)

    def piece(self):
        kind = self.random.randrange(20)
        if kind < 6:
            return self.pick(WORDS)
        if kind < 11:
            return self.variable()
        if kind < 14:
            return self.double_quoted()
        if kind < 16:
            return "'%s'" % self.pick(('', 'a b', '$a', '\\', '"', 'b*', ';', '#', 'x\ny', '{', '/f/*', ' ', 'b\\*', '\\n'))
        if kind < 17:
            return self.pick(GLOBS)
        if kind < 18:
            return '$' + self.double_quoted()
        return self.pick(ESCAPES)

    def word(self):
        word = ''.join(self.piece() for _ in range(self.pick((1, 1, 1, 2, 3))))
        return word + self.pick(('', '', '', '', '\\\n')) if word else 'w'

    def words(self, most=4):
        return ''.join(self.pick((' ', ' ', '  ', ' \\\n')) + self.word() for _ in range(self.random.randrange(most + 1)))

    def operand(self):
        return self.pick(('1', '2', '10', '-1', '0x10', '"$a"', '$a', '"$sp"', '$e', '""', 'foo', '/f/a', '/f/dir', '/f/no', '/f',
                          '/', 'x-2', 'x-11', '$n', '"$n"', '!', '-f', '(', ')', '(hd0)/f/empty', '/f/empty', '-a', '$?', "'b*'"))

    def test(self, depth=2):
        kind = self.random.randrange(10)
        if kind < 5:
            text = '%s %s %s' % (self.operand(), self.pick(BINARY), self.operand())
        elif kind < 8:
            text = '%s %s' % (self.pick(UNARY), self.operand())
        else:
            text = ' '.join(self.operand() for _ in range(self.random.randrange(4)))
        if depth and self.chance(30):
            text = '( %s )' % self.test(depth - 1) if self.chance(80) else '( %s' % text
        if depth and self.chance(35):
            text = '%s %s %s' % (text, self.pick(('-a', '-o', '-a !', '-o !', '!')), self.test(depth - 1))
        return '! ' + text if self.chance(15) else text

    def condition(self, depth):
        kind = self.random.randrange(12)
        if kind < 6:
            return '[ %s ]' % self.test()
        if kind < 8:
            return 'test ' + self.test()
        if kind < 10:
            return self.pick(('true', 'false', '! true', '! false', '[ ]', '!', 'nosuch', 'test', '[', '! nosuch', '! [ a = a ]'))
        return self.simple(depth)

    def block(self, depth):
        separator = self.pick(('; ', '\n', '\n  ', ' ;\n'))
        return separator.join(self.statement(depth) for _ in range(self.random.randint(1, 3))) + separator

    def name(self):
        return 'f%d_%d' % (self.number, self.random.randrange(max(1, self.functions)))

    def simple(self, depth):
        kind = self.random.randrange(40)
        name = self.pick(VARIABLES + ('u', '1', '#', '?', 'x-y', '9z', ''))
        if kind < 13:
            return 'echo%s%s' % (self.pick(('', '', ' -n', ' -e', ' -ne', ' -e -n', ' --', ' -x')), self.words())
        if kind < 16:
            return 'set %s=%s' % (name, self.word()) + self.pick(('', '', '', ' x'))
        if kind < 18:
            return '%s=%s' % (name, self.word())
        if kind < 20:
            return self.pick(('unset', 'export')) + ' ' + name
        if kind < 24 and self.functions:
            return self.name() + self.words()
        if kind < 26:
            return self.pick(('shift', 'return', 'break', 'continue', 'setparams' + self.words())) \
                + self.pick(('', '', '', ' 1', ' 2', ' 0', ' x', ' 1x', ' 1 2', ' $n', ' ""'))
        if kind < 28:
            return 'eval' + self.words() if self.chance(50) else "eval '%s'" % self.statement(0).replace("'", '"')
        if kind < 30:
            return 'regexp %s%s %s' % (self.pick(('', '', '--set=a ', '-s b ', '--set 2:c ', '-s 1:a -s 2:b ', '--set=x:y ')),
                                       self.pick(('"%s"', "'%s'")) % self.pick(REGEXPS), self.word())
        if kind < 32:
            return self.pick(('true', 'false', '! true', '! false', 'nosuch' + self.words(), '!', '! ! true', '"true"', "'fal'se"))
        if kind < 33:
            return self.word() + self.words()
        if kind < 34:
            return 'echo "@@?" $? $# "$*" "$@"'
        if kind < 35 and depth:
            return self.pick(('true', 'echo', 'eval', self.name(), 'test')) + self.words(1) + ' { %s}' % self.block(depth - 1)
        if kind < 36:
            return 'source /f/%s' % self.pick(('no', 'a', 'dir', '', 'empty'))
        return '[ %s ]' % self.test()

    def statement(self, depth):
        kind = self.random.randrange(20)
        if depth <= 0 or kind < 11:
            return self.simple(depth)
        inner = depth - 1
        if kind < 14:
            text = 'if %s; then %s' % (self.condition(inner), self.block(inner))
            while self.chance(30):
                text += 'elif %s; then %s' % (self.condition(inner), self.block(inner))
            if self.chance(40):
                text += 'else %s' % self.block(inner)
            return text + 'fi'
        if kind < 16:
            return 'for %s in%s; do %s done' % (self.pick(('a', 'b', 'i', 'n', '1', 'x-y', 'for')), self.words(5), self.block(inner))
        if kind < 18:
            self.counters += 1
            name = 'w%d' % self.counters
            test, keyword = self.pick((('[ x$%s != xaaa ]', 'while'), ('[ x$%s = xaaa ]', 'until'), ('test "$%s" != aa', 'while')))
            return '%s=\n%s %s; do %s=a$%s; %s done' % (name, keyword, test % name, name, name, self.block(inner))
        # A function calls only those before it, so that nothing recurses.
        body = self.block(inner)
        self.functions += 1
        return 'function f%d_%d { %s}' % (self.number, self.functions - 1, body)


class MenuGenerator(Base):
    TITLES = ('zero', 'a>b', '2 two', 'dup', 'i1', '-x', '1', '0', 'sub', 'x y', "it's", '--id', 'a&b', '<b>', 'a>>b', '>', '', '--')
    OPTIONS = ('--id %s', '--id=%s', '--class %s', '--users "%s"', '--unrestricted', '--hotkey %s', '--class=a --class b',
               '$menuentry_id_option %s', '--nosuch', '-x', '--id', '%s', '--users=', '--hotkey=a', '--source "say %s"')

    def entry(self, depth, number):
        title = "'%s'" % self.pick(self.TITLES).replace("'", "'\\''") if self.chance(85) else self.pick(('t"$v"', '$v', '"$u"'))
        options = [option % self.identifier() if '%s' in option else option
                   for option in (self.pick(self.OPTIONS) for _ in range(self.pick((0, 0, 1, 1, 2))))]
        words = [title] + options
        if self.chance(30):
            self.random.shuffle(words)
        if depth and self.chance(35):
            body = self.settings(30) + ''.join(self.entry(depth - 1, n) for n in range(self.random.randrange(4)))
            return 'submenu %s {\n%s}\n' % (' '.join(words), body or 'true\n')
        # What an entry that fails leaves to the next (GRUB keeps it, we evaluate each in a copy) is not compared.
        body = self.pick(('', 'setparams "$@" more; ', 'shift; ', 'default=1; '))
        return 'menuentry %s { %ssay e%d "$@"; }\n' % (' '.join(words), body, number)

    def identifier(self):
        return self.pick(('i1', 'i2', 's1', "'a>b'", "'x y'", '0', '1', "'2 two'", "''", '-1', 'dup', '$v'))

    def settings(self, percent):
        text = ''
        if self.chance(percent):
            text += "default='%s'\n" % '>'.join(self.pick(('0', '1', '2', '3', '-1', '99', 'i1', 'i2', 's1', 'zero', 'a>>b', 'dup', '1x',
                                                            '2 two', '', ' 1', '0x1', '01', 'sub', '>', '"'))
                                                for _ in range(self.pick((1, 1, 2, 2, 3))))
        if self.chance(percent):
            text += "fallback='%s'\n" % ' '.join(self.pick(('0', '1', '2', '3', '99', 'i1', 'dup', '-1', '0>1', '1x'))
                                                 for _ in range(self.random.randint(1, 3)))
        if self.chance(15):
            text += self.pick(('export default\n', 'export fallback\n', 'export v\n', 'unset default\n', 'unset chosen\n',
                               'chosen=c; export chosen\n', 'default="${default}"\n'))
        return text

    def menu(self):
        text = ('set timeout=0\nv=V\nif [ x$feature_menuentry_id = xy ]; then menuentry_id_option=--id; fi\n'
                'function say { regexp "--ENTRY $# $1|$2|$3|$4 chosen=$chosen default=$default v=$v"; }\n')
        return text + self.settings(70) + ''.join(self.entry(2, n) for n in range(self.random.randint(1, 6))) \
            + self.settings(20)
