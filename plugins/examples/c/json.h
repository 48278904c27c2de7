// Reads the members of a JSON object, which is what settings come as.

#pragma once

#include "policy.h"

typedef enum {
  JSON_NULL,
  JSON_BOOLEAN,
  JSON_INTEGER,
  JSON_FLOAT,
  JSON_STRING,
  JSON_ARRAY,
  JSON_OBJECT,
} json_kind_t;

typedef struct {
  json_kind_t kind;
  // A string's characters, decoded; of everything else the text as written.
  policy_string_t text;
} json_value_t;

// Reads the next member of an object. `*offset` is 0 before the first one, and is moved on. False: there is no more.
bool json_next(const policy_string_t *object, size_t *offset, policy_string_t *name, json_value_t *value);

// The value of an integer that has been found to be one; the nearest if it is too large.
long long json_integer(const json_value_t *value);
