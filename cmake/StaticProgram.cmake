# The program as a single file: everything but the C library is linked in. It is linked from the objects that the
# ordinary program is made of, so that it costs no compilation.

# The static libraries of all dependencies, from SOURCE_VITESS_ARCHIVES alone if that is given.
function(source_vitess_find_archives result)
  set(where "")
  if(SOURCE_VITESS_ARCHIVES)
    set(where PATHS ${SOURCE_VITESS_ARCHIVES} NO_DEFAULT_PATH)
  endif()
  set(archives "")
  foreach(name grpc++ grpc gpr upb address_sorting cares re2 ssl crypto z protobuf icui18n icuuc icudata absl_base)
    find_library(SOURCE_VITESS_ARCHIVE_${name} NAMES lib${name}.a ${where} REQUIRED)
    mark_as_advanced(SOURCE_VITESS_ARCHIVE_${name})
    list(APPEND archives ${SOURCE_VITESS_ARCHIVE_${name}})
  endforeach()
  get_filename_component(folder ${SOURCE_VITESS_ARCHIVE_absl_base} DIRECTORY)
  file(GLOB abseil ${folder}/libabsl_*.a)
  list(APPEND archives ${abseil})
  list(REMOVE_DUPLICATES archives)
  set(${result} "${archives}" PARENT_SCOPE)
endfunction()

# source_vitess_static_program(NAME OBJECT-LIBRARY)
function(source_vitess_static_program name objects)
  source_vitess_find_archives(archives)
  get_property(components GLOBAL PROPERTY source_vitess_components)
  list(APPEND components source_vitess_proto source_vitess_no_status_server)
  set(ours "")
  foreach(component IN LISTS components)
    list(APPEND ours $<TARGET_FILE:${component}>)
  endforeach()
  add_executable(${name} $<TARGET_OBJECTS:${objects}>)
  add_dependencies(${name} ${components})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX LINK_DEPENDS "${ours}")
  target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections)
  # The libraries refer to one another in all directions.
  target_link_libraries(${name} PRIVATE -Wl,--start-group ${ours} ${archives} -Wl,--end-group Threads::Threads
                        ${CMAKE_DL_LIBS} m rt)
endfunction()

# source_vitess_compact_program(NAME OBJECT-LIBRARY): the program of the image. What is linked in costs no time when it
# starts; shared are the libraries of the status page, of which Debian has no others, and what these need too.
function(source_vitess_compact_program name objects)
  find_package(prometheus-cpp CONFIG REQUIRED)
  source_vitess_find_archives(archives)
  list(FILTER archives EXCLUDE REGEX "/lib(ssl|crypto|z)\\.a$")
  get_property(components GLOBAL PROPERTY source_vitess_components)
  list(APPEND components source_vitess_proto source_vitess_status_server)
  set(ours "")
  foreach(component IN LISTS components)
    list(APPEND ours $<TARGET_FILE:${component}>)
  endforeach()
  add_executable(${name} $<TARGET_OBJECTS:${objects}>)
  add_dependencies(${name} ${components})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX LINK_DEPENDS "${ours}")
  target_link_options(${name} PRIVATE -Wl,--gc-sections)
  target_link_libraries(${name} PRIVATE -Wl,--start-group ${ours} ${archives} -Wl,--end-group ${HTTPLIB_LIBRARY}
                        prometheus-cpp::core ssl crypto z Threads::Threads ${CMAKE_DL_LIBS} m rt)
endfunction()
