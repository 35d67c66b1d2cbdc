/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU plugin: how often each instruction ran between two stores, and what the model in cycles.py needs besides.
 *
 *   qemu-system-arm ... -plugin libcount.so,begin=ADDRESS,end=ADDRESS,out=FILE
 *
 * code=ADDRESS says where the memory with the code starts, if not at 0.
 * The firmware stores to the word at begin before what is to be counted, and to the word at end behind it; neither
 * store is counted. Each such pair appends to FILE a line "region" and one line for each instruction that ran:
 *
 *   address executed taken accesses excess
 *
 * taken: how often the next instruction was not the following one. accesses: data accesses; a gather or scatter makes
 * one for each active lane (two where elements have 64 bits). excess: the accesses of each execution beyond the second,
 * summed up.
 *
 * It works with QEMU 7.2, whose plugin interface has version 1, and with QEMU 10, which accepts versions from 2 on.
 * What is used here is the same in both. Debian does not package qemu-plugin.h, so it is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;   /* a translated block: instructions that run one after the other */
struct qemu_plugin_insn; /* one instruction of a block while it is translated */

enum { NO_REGISTERS = 0, READS_AND_WRITES = 3 };

typedef void on_translation(uint64_t id, struct qemu_plugin_tb *block);
typedef void on_execution(unsigned cpu, void *data);
typedef void on_access(unsigned cpu, uint32_t info, uint64_t address, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, on_translation *);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, on_execution *, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, on_execution *, int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, on_access *, int flags, int accesses, void *data);
bool qemu_plugin_mem_is_store(uint32_t info);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);

/* Version 2 removed it. It is never called: whether this QEMU has it says which version to ask for. */
__attribute__((weak)) void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *, uint64_t);

#define PUBLIC __attribute__((visibility("default")))
PUBLIC int qemu_plugin_version;
PUBLIC int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

/* QEMU reads the version after it has loaded the plugin, so after this has run. */
__attribute__((constructor)) static void choose_version(void) {
  qemu_plugin_version = qemu_plugin_register_vcpu_insn_exec_inline ? 1 : 2;
}

/* One for each halfword of the memory that code lies in. */
enum { CODE_SIZE = 512 << 10, N_COUNTERS = CODE_SIZE / 2 };
typedef struct counter {
  uint64_t executed, taken, accesses, excess;
  uint64_t execution, accesses_then; /* which execution the latest access belongs to, and its accesses until now */
} counter;
static counter counters[N_COUNTERS];

typedef struct block {
  uint64_t first, following; /* addresses of its first instruction, and of what follows its last one */
  counter *last;
} block;
static const block *previous;

static uint64_t begin, end, code;
static FILE *out;

static void die(const char *what) {
  fprintf(stderr, "count: %s\n", what);
  exit(1);
}

static void write_region(void) {
  fprintf(out, "region\n");
  for (unsigned i = 0; i < N_COUNTERS; i++) {
    const counter *c = &counters[i];
    if (c->executed == 0) continue;
    fprintf(out, "%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", code + 2 * i, c->executed, c->taken,
            c->accesses, c->excess);
  }
  if (fflush(out) != 0) die("cannot write");
}

static void note_access(unsigned cpu, uint32_t info, uint64_t address, void *data) {
  (void)cpu;
  counter *c = data;
  if (address == begin && qemu_plugin_mem_is_store(info)) {
    memset(counters, 0, sizeof counters);
  } else if (address == end && qemu_plugin_mem_is_store(info)) {
    c->executed--;
    write_region();
  } else {
    if (c->execution != c->executed) {
      c->execution = c->executed;
      c->accesses_then = 0;
    }
    c->accesses++;
    if (++c->accesses_then > 2) c->excess++;
  }
}

static void note_instruction(unsigned cpu, void *data) {
  (void)cpu;
  counter *c = data;
  c->executed++;
}

static void note_block(unsigned cpu, void *data) {
  (void)cpu;
  const block *b = data;
  if (previous && previous->following != b->first) previous->last->taken++;
  previous = b;
}

/* Blocks are translated anew now and then; their descriptions are kept, since QEMU does not say when they go. */
static void translate(uint64_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  if (qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) < code) return; /* what the machine does before reset */
  block *b = malloc(sizeof *b);
  if (!b) die("out of memory");
  const size_t n = qemu_plugin_tb_n_insns(tb);
  for (size_t i = 0; i < n; i++) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
    const uint64_t address = qemu_plugin_insn_vaddr(insn);
    if (address - code >= CODE_SIZE) die("code outside of the memory that is watched");
    counter *c = &counters[(address - code) / 2];
    if (i == 0) b->first = address;
    b->following = address + qemu_plugin_insn_size(insn);
    b->last = c;
    qemu_plugin_register_vcpu_insn_exec_cb(insn, note_instruction, NO_REGISTERS, c);
    qemu_plugin_register_vcpu_mem_cb(insn, note_access, NO_REGISTERS, READS_AND_WRITES, c);
  }
  qemu_plugin_register_vcpu_tb_exec_cb(tb, note_block, NO_REGISTERS, b);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; i++) {
    const char *value = strchr(argv[i], '=');
    if (!value++) return 1;
    if (strncmp(argv[i], "begin=", 6) == 0) {
      begin = strtoull(value, NULL, 0);
    } else if (strncmp(argv[i], "end=", 4) == 0) {
      end = strtoull(value, NULL, 0);
    } else if (strncmp(argv[i], "code=", 5) == 0) {
      code = strtoull(value, NULL, 0);
    } else if (strncmp(argv[i], "out=", 4) == 0) {
      out = fopen(value, "w");
    } else {
      return 1;
    }
  }
  if (!begin || !end || !out) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  return 0;
}
