/* SPDX-License-Identifier: MIT */
/* Included before a test whose main() becomes that of a program in the box. */
#ifndef TESTS_REDOX_BOXED_H
#define TESTS_REDOX_BOXED_H

int boxed_main(int argc, char **argv);
#define main boxed_main

#endif
