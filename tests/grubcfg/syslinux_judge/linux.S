# SPDX-License-Identifier: LGPL-2.1-or-later
# A kernel by the Linux/x86 boot protocol (Documentation/arch/x86/boot.rst) that does nothing but print, on the
# first serial port, its own name, its command line and its ramdisk. Then it ends qemu (isa-debug-exit at 0x501).
    .code16
boot:
    .org 0x1f1
    .byte 4                             # setup_sects
    .word 0
    .long (payload_end - payload) / 16 + 1
    .word 0, 0, 0
    .word 0xaa55
    .byte 0xeb, start - 1f              # jump
1:  .ascii "HdrS"
    .word 0x020a
    .long 0
    .word 0, version - boot - 0x200
    .byte 0, 1                          # type_of_loader, loadflags: LOADED_HIGH
    .word 0x8000
    .long 0x100000                      # code32_start
    .long 0, 0, 0                       # ramdisk_image, ramdisk_size
    .word 0, 0
    .long 0                             # cmd_line_ptr
    .long 0x37ffffff                    # initrd_addr_max
    .long 0x100000                      # kernel_alignment
    .byte 0, 20
    .word 0
    .long 4095                          # cmdline_size
    .long 0
    .quad 0
    .long 0, 0
    .quad 0
    .quad 0x100000                      # pref_address
    .long 0x10000                       # init_size
start:                                  # real mode; the boot sector's fields lie as in struct boot_params
    cli
    cld
    xorl %ebx, %ebx
    movw %ds, %bx
    shll $4, %ebx
    movl %ebx, %esi
    inb $0x92, %al
    orb $2, %al
    outb %al, $0x92
    leal gdt - boot(%ebx), %eax
    movl %eax, gdt_base - boot
    lgdtl gdt_pointer - boot
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $8, $0x100000
    .balign 8
gdt:
    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer: .word 23
gdt_base: .long 0
version: .asciz "judge"
    .org 5 * 512
payload:
    .code32
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0x90000, %esp
    movl %esi, %ebp
    call 1f
1:  popl %ebx
    subl $(1b - payload), %ebx
    leal kernel_mark - payload(%ebx), %esi
    call put_string
    leal name - payload(%ebx), %esi
    call put_string
    leal command_line_mark - payload(%ebx), %esi
    call put_string
    movl 0x228(%ebp), %esi              # cmd_line_ptr
    testl %esi, %esi
    jz 2f
    call put_string
2:  leal initrd_mark - payload(%ebx), %esi
    call put_string
    movl 0x218(%ebp), %esi
    movl 0x21c(%ebp), %ecx
    call put_bytes
    leal end_mark - payload(%ebx), %esi
    call put_string
    movw $0x501, %dx
    outb %al, %dx
3:  hlt
    jmp 3b
    .include "serial.inc"
kernel_mark: .asciz "\n@@KERNEL "
command_line_mark: .asciz "\n@@CMDLINE "
initrd_mark: .asciz "\n@@INITRD "
end_mark: .asciz "\n@@END\n"
name: .ascii "NAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAMENAME"
    .byte 0
    .balign 16
payload_end:
