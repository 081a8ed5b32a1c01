# SPDX-License-Identifier: LGPL-2.1-or-later
# As linux.S, for the multiboot protocol: prints its command line, and each module's with its contents.
    .code32
    .globl _start
    .long 0x1badb002, 0, -0x1badb002
_start:
    movl $0x90000, %esp
    movl %ebx, %ebp
    movl $kernel_mark, %esi
    call put_string
    movl $name, %esi
    call put_string
    movl $command_line_mark, %esi
    call put_string
    movl 16(%ebp), %esi
    call put_string
    movl 20(%ebp), %edi                 # mods_count
    movl 24(%ebp), %ebx                 # mods_addr
1:  testl %edi, %edi
    jz 2f
    movl $module_mark, %esi
    call put_string
    movl 8(%ebx), %esi
    call put_string
    addl $16, %ebx
    decl %edi
    jmp 1b
2:  movl $end_mark, %esi
    call put_string
    movw $0x501, %dx
    outb %al, %dx
3:  hlt
    jmp 3b
    .include "serial.inc"
kernel_mark: .asciz "\n@@KERNEL "
command_line_mark: .asciz "\n@@CMDLINE "
module_mark: .asciz "\n@@MODULE "
end_mark: .asciz "\n@@END\n"
name: .ascii "NAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAME"
    .byte 0
