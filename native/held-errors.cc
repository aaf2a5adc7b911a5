// Holds back what a library prints on standard error while it is loaded: TensorFlow prints there at any log level.
#include <string>

#include "node-api.h"

#if defined(__linux__)
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace unroll {
namespace {

#if defined(__linux__)
int held = -1, standardError = -1;

// holdErrors(): what is written to standard error from now on goes to memory. Does nothing where that fails.
napi_value holdErrors(napi_env, napi_callback_info) {
  constexpr unsigned closeOnExec = 1;
  if (held >= 0) return nullptr;
  held = static_cast<int>(syscall(SYS_memfd_create, "held-errors", closeOnExec));
  standardError = held < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (standardError >= 0 && dup2(held, STDERR_FILENO) >= 0) return nullptr;
  if (held >= 0) close(held);
  if (standardError >= 0) close(standardError);
  held = standardError = -1;
  return nullptr;
}

// releaseErrors(): ends it, and returns what was written.
napi_value releaseErrors(napi_env env, napi_callback_info) {
  std::string text;
  if (held >= 0) {
    dup2(standardError, STDERR_FILENO);
    char part[4096];
    for (ssize_t count, at = 0; (count = pread(held, part, sizeof part, at)) > 0; at += count)
      text.append(part, static_cast<size_t>(count));
    close(held);
    close(standardError);
    held = standardError = -1;
  }
  napi_value result;
  napi_create_string_utf8(env, text.c_str(), text.size(), &result);
  return result;
}
#else
napi_value holdErrors(napi_env, napi_callback_info) { return nullptr; }
napi_value releaseErrors(napi_env env, napi_callback_info) {
  napi_value result;
  napi_create_string_utf8(env, "", 0, &result);
  return result;
}
#endif

}  // namespace

void setErrorFunctions(napi_env env, napi_value exports) {
  setFunction(env, exports, "holdErrors", holdErrors);
  setFunction(env, exports, "releaseErrors", releaseErrors);
}

}  // namespace unroll
