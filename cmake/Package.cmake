# What `cmake --install` installs, and the Debian package that CPack makes of it (scripts/release). Programs of the
# tests are never part of it.
include(GNUInstallDirs)
# Else both would build the tests first.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
# Whatever the umask of who installs.
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(readable PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

install(TARGETS source-vitess RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES spec/spec.json metadata.yaml icon.svg DESTINATION ${CMAKE_INSTALL_DATADIR}/${PROJECT_NAME} ${readable})
install(FILES README.md CHANGELOG.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR} ${readable})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright ${readable})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
        PATTERN __pycache__ EXCLUDE)

# The manual page says what the program says, which can be asked where it can be run.
if(NOT CMAKE_CROSSCOMPILING)
  set(manual ${CMAKE_CURRENT_LIST_DIR}/manual)
  add_custom_command(
    OUTPUT source-vitess.1
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:source-vitess> -DVERSION=${PROJECT_VERSION}
            -DTEMPLATE=${manual}/source-vitess.1.in -DOUTPUT=${CMAKE_CURRENT_BINARY_DIR}/source-vitess.1
            -P ${manual}/write.cmake
    DEPENDS source-vitess ${manual}/source-vitess.1.in ${manual}/write.cmake
    VERBATIM)
  add_custom_target(manual ALL DEPENDS source-vitess.1)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/source-vitess.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 ${readable})
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ${PROJECT_NAME})
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The developers of source-vitess <developers@source-vitess.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Moves tables of Vitess and their changes into data warehouses")
set(CPACK_PACKAGE_DESCRIPTION "One program that reads the tables of a Vitess database, and every later change to \
them, out of VTGate's change stream.\n\
It is a source for Airbyte, whose commands it has, and for Fivetran, whose Partner SDK it serves over gRPC.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
# Archives whose order and times depend on nothing but SOURCE_DATE_EPOCH; one thread, whose blocks are those of any
# machine.
set(CPACK_THREADS 1)
include(CPack)
