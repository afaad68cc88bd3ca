# Plugins of this tree: found by `wtcore` in the build tree (build/<preset>/plugins/lib), and once
# installed in the plugin directory.
include(WtAddPlugin)

set(WT_PLUGIN_DIR_INSTALL ${CMAKE_INSTALL_FULL_LIBDIR}/whispertunnel)
set(WT_PLUGIN_DIR_BUILD ${CMAKE_BINARY_DIR}/plugins/lib)
set(WT_PLUGIN_INSTALL_DIR ${CMAKE_INSTALL_LIBDIR}/whispertunnel)
set(WT_PLUGIN_OUTPUT_DIRECTORY ${WT_PLUGIN_DIR_BUILD})
