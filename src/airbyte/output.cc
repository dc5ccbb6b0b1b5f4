#include "airbyte/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {

absl::Status Output::Write(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = WriteAll(lines);
  return failure_;
}

absl::Status Output::WriteAll(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EAGAIN || error == EWOULDBLOCK) {
      pollfd writable = {.fd = fd_, .events = POLLOUT, .revents = 0};
      poll(&writable, 1, -1);
      continue;
    }
    if (error == EPIPE || error == ECONNRESET) {
      return vitess::HostError("nobody reads the output any more");
    }
    return vitess::WithClass(
        absl::InternalError(absl::StrCat("the output could not be written: ",
                                         std::generic_category().message(error))),
        vitess::ErrorClass::kInternal);
  }
  return absl::OkStatus();
}

void IgnoreBrokenPipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace source_vitess::airbyte
