# Intel's Multi-Buffer Crypto for IPsec library: target IPSecMB::IPSecMB, IPSecMB_VERSION.
# Its releases up to 1.3 come without a pkg-config file.
find_path(IPSecMB_INCLUDE_DIR intel-ipsec-mb.h)
find_library(IPSecMB_LIBRARY IPSec_MB)
mark_as_advanced(IPSecMB_INCLUDE_DIR IPSecMB_LIBRARY)

if(IPSecMB_INCLUDE_DIR)
  set(version_line "#define[ \t]+IMB_VERSION_STR[ \t]+\"([0-9.]+)")
  file(STRINGS ${IPSecMB_INCLUDE_DIR}/intel-ipsec-mb.h line REGEX ${version_line})
  if(line MATCHES ${version_line})
    set(IPSecMB_VERSION ${CMAKE_MATCH_1})
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(IPSecMB
  REQUIRED_VARS IPSecMB_LIBRARY IPSecMB_INCLUDE_DIR VERSION_VAR IPSecMB_VERSION)

if(IPSecMB_FOUND AND NOT TARGET IPSecMB::IPSecMB)
  add_library(IPSecMB::IPSecMB UNKNOWN IMPORTED)
  set_target_properties(IPSecMB::IPSecMB PROPERTIES
    IMPORTED_LOCATION ${IPSecMB_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${IPSecMB_INCLUDE_DIR})
endif()
