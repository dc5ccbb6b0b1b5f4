// What is known of a VTGate by the way in which it is run: the option "deployment".
#ifndef SOURCE_VITESS_CONFIG_DEPLOYMENT_H_
#define SOURCE_VITESS_CONFIG_DEPLOYMENT_H_

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "vitess/channel.h"

namespace source_vitess::config {

// Each of these holds where the configuration says nothing else.
struct Deployment {
  std::string_view name;  // the option's value
  int port;
  bool tls;  // with the option encryption.mode at "auto"
  vitess::Credentials::Scheme scheme;
  std::string_view cells;  // as VStreamFlags has them; empty: VTGate's own choice
};

// All of them, in the order of the specification.
std::span<const Deployment> Deployments();

// REQUIRES: one of them has that name.
const Deployment& DeploymentOf(std::string_view name);

// Whether a server of that deployment can be reached that way: PlanetScale's has TLS and wants to
// know who calls, and its own addresses are no other deployment's and have no other port. Of the
// class kConfiguration.
absl::Status CheckDeployment(const Deployment& deployment, const vitess::ChannelOptions& channel);

}  // namespace source_vitess::config

#endif  // SOURCE_VITESS_CONFIG_DEPLOYMENT_H_
