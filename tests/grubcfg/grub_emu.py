# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs Debian's grub-emu (2.06) without a person: on a pseudo-terminal so wide that no line wraps."""
import fcntl, os, pty, re, select, shutil, signal, struct, subprocess, termios, time

ESCAPE = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]|\x1b.')
# GRUB prints errors between the echoed lines; their text is not compared.
ERROR = re.compile(r"error: (?:can't find command `.*?'|.*?)\.\n", re.DOTALL)
STOPS = (b'select which entry is highlighted', b'grub> ', b'Enter username')


def available():
    return bool(shutil.which('grub-emu') and shutil.which('mke2fs'))


def make_disk(tree, image, label='oracle', uuid='0b1c2d3e-4f50-6172-8394-a5b6c7d8e9fa', megabytes=8):
    """An ext4 file system of the directory `tree` in a file, without a partition table."""
    with open(image, 'wb') as file:
        file.truncate(megabytes << 20)
    subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-L', label, '-U', uuid, '-d', tree,
                    image], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def terminal_output(directory, device_map, seconds):
    """(bytes, finished): what grub-emu prints; it ends with the script, or at a menu or a prompt; it may also crash."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM='vt100', LC_ALL='C.UTF-8')
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 200, 32767, 0, 0))
            os.execvp('grub-emu', ['grub-emu', '-d', directory, '-m', device_map])
        finally:
            os._exit(127)
    output, finished, seen, answered, deadline = bytearray(), False, 0, 0, time.monotonic() + seconds
    while not finished and time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:
            piece = b''
        output += piece
        finished = not piece or any(stop in output[max(0, seen - 64):] for stop in STOPS)
        prompt = output.find(b'Press any key', answered)
        if prompt >= 0:                 # one key for each: a menu behind it would take another as its own
            answered = prompt + 1
            os.write(terminal, b'\n')
        seen = len(output)
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    status = os.waitpid(child, 0)[1]
    os.close(terminal)
    crashed = os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL
    return bytes(output), finished and not crashed


def run(work, image, script, seconds=10):
    """(text, finished): what grub-emu prints for `script`, with `image` as hd0 and root."""
    directory = os.path.join(work, 'emu')
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, 'grub.cfg'), 'wb') as file:
        file.write(b'set enable_progress_indicator=0\nset root=hd0\nset prefix="(hd0)/boot/grub"\n'
                   b'export enable_progress_indicator root prefix\necho "@@BEGIN"\n' + script)
    with open(os.path.join(work, 'device.map'), 'w') as file:
        file.write('(hd0) %s\n' % image)
    output, finished = terminal_output(directory, os.path.join(work, 'device.map'), seconds)
    text = ESCAPE.sub('', output.decode('utf-8', 'surrogateescape')).replace('\r', '')
    return text.partition('@@BEGIN\n')[2], finished
