#include "json.h"

#include <stdlib.h>
#include <string.h>

// The host hands over valid JSON, so this need not find errors; it only must never read beyond the end.
typedef struct {
  const char *at;
  const char *end;
} reader_t;

static void skip_blanks(reader_t *reader) {
  while (reader->at < reader->end && strchr(" \t\r\n,:", *reader->at)) reader->at++;
}

static char next(reader_t *reader) { return reader->at < reader->end ? *reader->at++ : '\0'; }

static unsigned hexadecimal(reader_t *reader) {
  unsigned number = 0;
  for (int digits = 0; digits < 4; digits++) {
    char digit = next(reader);
    number = number * 16 + (unsigned)(digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
  }
  return number;
}

static char *write_character(char *out, unsigned character) {
  if (character < 0x80) {
    *out++ = (char)character;
  } else if (character < 0x800) {
    *out++ = (char)(0xc0 | character >> 6);
    *out++ = (char)(0x80 | (character & 63));
  } else if (character < 0x10000) {
    *out++ = (char)(0xe0 | character >> 12);
    *out++ = (char)(0x80 | (character >> 6 & 63));
    *out++ = (char)(0x80 | (character & 63));
  } else {
    *out++ = (char)(0xf0 | character >> 18);
    *out++ = (char)(0x80 | (character >> 12 & 63));
    *out++ = (char)(0x80 | (character >> 6 & 63));
    *out++ = (char)(0x80 | (character & 63));
  }
  return out;
}

static unsigned escape(reader_t *reader) {
  char letter = next(reader);
  switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': break;
    default: return (unsigned char)letter;
  }
  unsigned character = hexadecimal(reader);
  if (character >= 0xd800 && character < 0xdc00 && reader->end - reader->at >= 6) {
    reader->at += 2; // the `\u` of the second half
    character = 0x10000 + ((character - 0xd800) << 10) + (hexadecimal(reader) - 0xdc00);
  }
  return character;
}

// A string; decoded it is never longer than as written.
static policy_string_t string(reader_t *reader) {
  char *text = malloc((size_t)(reader->end - reader->at) + 1);
  char *out = text;
  next(reader);
  for (char character = next(reader); character != '"' && reader->at < reader->end; character = next(reader)) {
    if (character == '\\') {
      out = write_character(out, escape(reader));
    } else {
      *out++ = character;
    }
  }
  return (policy_string_t){(uint8_t *)text, (size_t)(out - text)};
}

// Passes over an array or an object.
static void skip_nested(reader_t *reader) {
  int depth = 0;
  do {
    char character = *reader->at;
    if (character == '"') {
      free(string(reader).ptr);
      continue;
    }
    depth += character == '[' || character == '{';
    depth -= character == ']' || character == '}';
    reader->at++;
  } while (depth > 0 && reader->at < reader->end);
}

static json_value_t value_of(reader_t *reader) {
  const char *start = reader->at;
  json_kind_t kind;
  switch (start < reader->end ? *start : 'n') {
    case '"': return (json_value_t){JSON_STRING, string(reader)};
    case '[': kind = JSON_ARRAY; skip_nested(reader); break;
    case '{': kind = JSON_OBJECT; skip_nested(reader); break;
    default:
      while (reader->at < reader->end && !strchr(",}] \t\r\n", *reader->at)) reader->at++;
      kind = *start == 'n' ? JSON_NULL : *start == 't' || *start == 'f' ? JSON_BOOLEAN : JSON_INTEGER;
      for (const char *at = start; kind == JSON_INTEGER && at < reader->at; at++) {
        if (strchr(".eE", *at)) kind = JSON_FLOAT;
      }
  }
  return (json_value_t){kind, {(uint8_t *)start, (size_t)(reader->at - start)}};
}

bool json_next(const policy_string_t *object, size_t *offset, policy_string_t *name, json_value_t *value) {
  const char *begin = (const char *)object->ptr;
  reader_t reader = {begin + *offset, begin + object->len};
  if (*offset == 0) next(&reader); // the brace
  skip_blanks(&reader);
  if (reader.at >= reader.end || *reader.at != '"') return false;
  *name = string(&reader);
  skip_blanks(&reader);
  *value = value_of(&reader);
  *offset = (size_t)(reader.at - begin);
  return true;
}

long long json_integer(const json_value_t *value) {
  bool negative = value->text.len > 0 && value->text.ptr[0] == '-';
  long long number = 0;
  for (size_t index = negative; index < value->text.len; index++) {
    if (number > 1000000000000000LL) break;
    number = number * 10 + (value->text.ptr[index] - '0');
  }
  return negative ? -number : number;
}
