// Texts that are handed to the host.

#pragma once

#include "policy.h"

// Arguments for the format `%.*s` of a text.
#define TEXT(string) (int)(string).len, (const char *)(string).ptr

// A new text, made as `printf` makes it. The bindings free it when the host has read it.
policy_string_t text(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The same where a text may be missing.
#define SOME(string) ((policy_option_string_t){true, string})
#define NONE ((policy_option_string_t){0})

// Whether a text is this one.
bool text_is(policy_string_t string, const char *other);
