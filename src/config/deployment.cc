#include "config/deployment.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::config {
namespace {

using Scheme = vitess::Credentials::Scheme;

constexpr std::string_view kPlanetScale = "planetscale";
constexpr absl::string_view kPlanetScaleDomain = ".psdb.cloud";

// VTGate: the port of Vitess's own examples, since VTGate has none. Vitess Operator:
// DefaultGrpcPort in its pkg/apis/planetscale/v2/defaults.go. PlanetScale: reference 4.1 and 4.2 of
// its connectors.
constexpr std::array kDeployments = {
    Deployment{"vtgate", 15991, false, Scheme::kVitess, ""},
    Deployment{"vitess_operator", 15999, false, Scheme::kVitess, ""},
    Deployment{kPlanetScale, 443, true, Scheme::kBasic, "planetscale_operator_default"},
};

}  // namespace

std::span<const Deployment> Deployments() { return kDeployments; }

const Deployment& DeploymentOf(std::string_view name) {
  const auto* const found =
      std::find_if(kDeployments.begin(), kDeployments.end(),
                   [&](const Deployment& deployment) { return deployment.name == name; });
  if (found == kDeployments.end()) std::abort();
  return *found;
}

absl::Status CheckDeployment(const Deployment& deployment, const vitess::ChannelOptions& channel) {
  const bool at_planetscale = absl::EndsWithIgnoreCase(channel.host, kPlanetScaleDomain);
  if (deployment.name != kPlanetScale) {
    if (!at_planetscale) return absl::OkStatus();
    return vitess::ConfigurationError(
        absl::StrCat("Option \"deployment\" is \"", text::AbslView(deployment.name),
                     "\", and the host is one of PlanetScale's: choose \"planetscale\"."));
  }
  // The port of MySQL's protocol, or one that a form kept from another deployment.
  if (at_planetscale && channel.port != deployment.port) {
    return vitess::ConfigurationError(absl::StrCat("Option \"port\" is ", channel.port,
                                                   ", and PlanetScale's hosts speak gRPC at ",
                                                   deployment.port, " alone: leave it empty."));
  }
  if (!channel.tls.has_value()) {
    return vitess::ConfigurationError(
        "Option \"encryption.mode\" is \"plaintext\", and PlanetScale (option \"deployment\") "
        "takes encrypted connections only: choose \"auto\" or \"tls\".");
  }
  if (!channel.credentials.has_value()) {
    return vitess::ConfigurationError(
        "Option \"authentication.method\" is \"none\", and PlanetScale (option \"deployment\") "
        "wants a user name and a password: choose \"password\".");
  }
  return absl::OkStatus();
}

}  // namespace source_vitess::config
