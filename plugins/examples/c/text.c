#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

policy_string_t text(const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  char *made = malloc((size_t)length + 1);
  vsnprintf(made, (size_t)length + 1, format, again);
  va_end(again);
  va_end(arguments);
  return (policy_string_t){(uint8_t *)made, (size_t)length};
}

bool text_is(policy_string_t string, const char *other) {
  return string.len == strlen(other) && memcmp(string.ptr, other, string.len) == 0;
}
