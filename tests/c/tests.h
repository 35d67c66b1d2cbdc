/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of the host, one file each. */
#ifndef TESTS_H
#define TESTS_H

#include "host.h"

void test_api(const vectors *all);
void test_bundle_api(const vectors *all);
void test_equal_hashes(const vectors *all);
void test_far(void);
void test_vectors(const vectors *all);
void test_truncation(const vectors *all);
void test_overlap(const vectors *all);
void test_in_place(const vectors *all);
void test_reader(const vectors *all);

#endif
