# Debian's compilers for the machine whose GNU name is `machine`, which may be this one.
set(CMAKE_C_COMPILER ${machine}-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER ${machine}-linux-gnu-g++)
if(NOT CMAKE_HOST_SYSTEM_PROCESSOR STREQUAL machine)
  set(CMAKE_SYSTEM_NAME Linux)
  set(CMAKE_SYSTEM_PROCESSOR ${machine})
  # Programs of the machine that builds, such as protoc, and libraries of the other.
  set(CMAKE_LIBRARY_ARCHITECTURE ${machine}-linux-gnu)
  set(CMAKE_CXX_LIBRARY_ARCHITECTURE ${machine}-linux-gnu)
  # Of what gRPC's package file looks for with pkg-config.
  set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${machine}-linux-gnu/pkgconfig:/usr/share/pkgconfig)
endif()
